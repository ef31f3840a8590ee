package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"fechatter/client"
)

const (
	// scaleBehind is how many messages of each chat a resume lacks.
	scaleBehind = 10
	// bigRate is that of a chat with everybody in it, low enough that each message is written alone.
	bigRate = 20
)

// costs measures them one after the other. What idling takes meanwhile is not counted again.
func (f *field) costs(ctx context.Context, o options) (c costs, err error) {
	c.Stream, c.PGStream = streamMicros, streamMicros
	if err := f.weighEmpty(ctx, o, &c); err != nil {
		return c, err
	}
	crowd, err := f.arrive(ctx, o, &c)
	if err != nil {
		return c, err
	}
	defer crowd.close()
	if err := f.weighIdle(ctx, o, &c); err != nil {
		return c, err
	}
	err = f.weighSends(ctx, o, &c)
	return c, err
}

// weighEmpty measures nodes without connections.
func (f *field) weighEmpty(ctx context.Context, o options, c *costs) error {
	for _, n := range f.nodes {
		if err := n.restart(ctx); err != nil {
			return err
		}
	}
	if err := sleep(ctx, o.rest); err != nil {
		return err
	}
	used, took, err := f.during(func() error { return sleep(ctx, o.duration) })
	if err != nil {
		return err
	}
	nodes := float64(len(f.nodes))
	c.Base, c.PGBase = micros(used.all(), nodes*took.Seconds()), micros(used.postgres, nodes*took.Seconds())
	c.BaseMB, err = f.rss()
	return err
}

// rss is the mean resident memory of the nodes, in MB.
func (f *field) rss() (float64, error) {
	sum := 0.0
	for _, n := range f.nodes {
		rss, err := n.rss()
		if err != nil {
			return 0, err
		}
		sum += megabytes(rss)
	}
	return sum / float64(len(f.nodes)), nil
}

// arrive measures connections that come back behind by some messages.
func (f *field) arrive(ctx context.Context, o options, c *costs) (*crowd, error) {
	job, err := f.job(ctx)
	if err != nil {
		return nil, err
	}
	var come *crowd
	used, _, err := f.during(func() (err error) {
		come, err = gatherCrowd(ctx, job, o.connections)
		return err
	})
	if err != nil {
		return nil, err
	}
	idle := come.took.Seconds()
	nodes := float64(len(f.nodes))
	c.Resume = (micros(used.all(), 1) - nodes*c.Base*idle) / float64(o.connections)
	c.PGResume = (micros(used.postgres, 1) - nodes*c.PGBase*idle) / float64(o.connections)
	return come, nil
}

// job has everybody come back to where they were before the last messages of each chat.
func (f *field) job(ctx context.Context) (crowdJob, error) {
	job := crowdJob{}
	for _, n := range f.nodes {
		job.URLs = append(job.URLs, n.url)
	}
	for _, u := range f.users {
		job.Tokens = append(job.Tokens, u.Token)
	}
	cursors := make(map[*team]map[string]int64)
	for _, u := range f.users {
		if cursors[u.team] == nil {
			behind := map[string]int64{}
			for _, chat := range u.team.chats {
				for i := range scaleBehind {
					seq, err := u.send(ctx, chat, newID(), usual)
					if err != nil {
						return job, err
					}
					if i == 0 {
						behind[chat] = seq - 1
					}
				}
			}
			cursors[u.team] = behind
		}
		job.Cursors = append(job.Cursors, cursors[u.team])
	}
	return job, nil
}

// weighIdle measures idle connections.
func (f *field) weighIdle(ctx context.Context, o options, c *costs) error {
	if err := sleep(ctx, o.rest); err != nil {
		return err
	}
	used, took, err := f.during(func() error { return sleep(ctx, o.duration) })
	if err != nil {
		return err
	}
	nodes := float64(len(f.nodes))
	each := func(d time.Duration, base float64) float64 {
		return max(0, micros(d, took.Seconds())-base) / float64(o.connections)
	}
	c.PGIdle, c.NATSIdle = each(used.postgres, nodes*c.PGBase), each(used.nats, 0)
	c.Idle = each(used.all(), nodes*c.Base)
	full, err := f.rss()
	c.ConnectionKB = (full - c.BaseMB) * 1024 * nodes / float64(o.connections)
	return err
}

// weighSends measures a message from one node to one connection at the other, and messages to
// everybody.
func (f *field) weighSends(ctx context.Context, o options, c *costs) error {
	pair, err := f.newTeam(ctx, "pair", 2)
	if err != nil {
		return err
	}
	listener, err := pair.users[1].connect(ctx, f.nodes[1].url, nil, func(client.Frame) {})
	if err != nil {
		return err
	}
	go readUntilClosed(context.WithoutCancel(ctx), listener)
	defer func() { _ = listener.CloseNow() }()
	disk := size(filepath.Join(f.folder, "data", "base"))
	few, err := f.weighLoad(ctx, o, c, []*team{pair}, o.rate)
	if err != nil {
		return err
	}
	c.RowBytes = max(0, float64(size(filepath.Join(f.folder, "data", "base"))-disk)) / few.sends
	var teams []*team
	for _, u := range f.users {
		if u == u.team.users[0] {
			teams = append(teams, u.team)
		}
	}
	many, err := f.weighLoad(ctx, o, c, teams, bigRate)
	if err != nil {
		return err
	}
	// At the second node: few = event + delivery, many = event + delivery × audience there.
	there := float64(o.connections*o.members/o.users) / float64(len(f.nodes))
	c.Delivery = (many.second - few.second) / (there - 1)
	c.Event = max(0, few.second-c.Delivery)
	c.Send = max(0, few.first-c.Delivery) // the sender has it, too
	c.PGSend, c.NATSEvent, c.EventBytes = max(0, few.postgres), max(0, few.nats), few.bytes
	return nil
}

// perSend is what a send has used: of the node that took it, the other one, and what they share;
// and the bytes that NATS got.
type perSend struct{ sends, first, second, postgres, nats, bytes float64 }

// weighLoad sends at the rate from the first node for the duration.
func (f *field) weighLoad(ctx context.Context, o options, c *costs, teams []*team, rate float64) (p perSend, err error) {
	before, err := f.natsBytes(ctx)
	if err != nil {
		return p, err
	}
	used, took, err := f.during(func() (err error) {
		p.sends, err = f.say(ctx, teams, 1, rate, o.duration)
		return err
	})
	if err != nil {
		return p, err
	}
	bytes, err := f.natsBytes(ctx)
	if err != nil {
		return p, err
	}
	p.bytes = (bytes - before) / p.sends
	idle := c.Base + c.Idle*float64(o.connections)/float64(len(f.nodes))
	share := func(d time.Duration, idle float64) float64 { return (micros(d, 1) - idle*took.Seconds()) / p.sends }
	p.first, p.second = share(used.nodes[0], idle), share(used.nodes[1], idle)
	p.postgres = share(used.postgres, c.PGBase*float64(len(f.nodes))+c.PGIdle*float64(o.connections))
	p.nats = share(used.nats, c.NATSIdle*float64(o.connections))
	return p, nil
}

// say sends at the rate, from one member of each team in turn, over the first nodes in turn, and
// returns how many sends were acknowledged.
func (f *field) say(ctx context.Context, teams []*team, nodes int, rate float64, duration time.Duration) (float64, error) {
	conns := make([]*client.Conn, len(teams))
	for i, t := range teams {
		var err error
		if conns[i], err = t.users[0].connect(ctx, f.nodes[i%nodes].url, nil, func(client.Frame) {}); err != nil {
			return 0, err
		}
		defer func() { _ = conns[i].CloseNow() }()
		go readUntilClosed(context.WithoutCancel(ctx), conns[i])
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(1000)
	began, sends := time.Now(), 0
	for ; time.Since(began) < duration; sends++ {
		if err := sleep(ctx, time.Until(began.Add(time.Duration(float64(sends)/rate*float64(time.Second))))); err != nil {
			break // the group says why
		}
		t, conn, n := teams[sends%len(teams)], conns[sends%len(teams)], sends
		g.Go(func() error {
			body := stamp{n + 1, time.Now()}.text(messageBytes)
			_, err := conn.Call(ctx, "message.send", message{t.chats[n/len(teams)%len(t.chats)], newID(), body})
			return err
		})
	}
	return float64(sends), g.Wait()
}

// newTeam makes a team of new users with one chat.
func (f *field) newTeam(ctx context.Context, name string, users int) (*team, error) {
	t := &team{}
	for i := range users {
		u, err := signUpPatiently(ctx, client.Client{URL: f.nodes[0].url}, fmt.Sprintf("%s-%d", name, i))
		if err != nil {
			return nil, err
		}
		u.team, t.users = t, append(t.users, u)
	}
	return t, t.makeChats(ctx, 1)
}

// verify compares what the model says of a load with a real run of it.
func (f *field) verify(ctx context.Context, o options, c costs) ([]verified, error) {
	for _, n := range f.nodes {
		if err := n.restart(ctx); err != nil {
			return nil, err
		}
	}
	job, err := f.job(ctx)
	if err != nil {
		return nil, err
	}
	come, err := gatherCrowd(ctx, job, o.verify)
	if err != nil {
		return nil, err
	}
	defer come.close()
	if err := sleep(ctx, o.rest); err != nil {
		return nil, err
	}
	memory, err := f.rss()
	if err != nil {
		return nil, err
	}
	var teams []*team
	for _, u := range f.users {
		if u == u.team.users[0] {
			teams = append(teams, u.team)
		}
	}
	var sends float64
	used, took, err := f.during(func() (err error) {
		sends, err = f.say(ctx, teams, len(f.nodes), bigRate, o.duration)
		return err
	})
	if err != nil {
		return nil, err
	}
	seen, err := come.leave()
	if err != nil {
		return nil, err
	}
	seconds, audience := took.Seconds(), float64(o.verify*o.members/o.users)
	w := workload{SendsPerHour: sends / seconds * 3600 / float64(o.verify), Audience: audience, Chats: float64(o.chats)}
	p := predictOn(c, w, float64(o.verify), float64(len(f.nodes)))
	beside := func(figure string, predicted, measured float64) verified {
		return verified{figure, predicted, measured, hundredths(measured / predicted)}
	}
	return []verified{
		beside("connections", float64(o.verify), float64(o.verify-seen.Dropped)),
		beside("deliveries/s", p.Deliveries, float64(seen.Deliveries)/seconds),
		beside("busy cores of the nodes", p.NodeCores, used.all().Seconds()/seconds),
		beside("GB of a node", p.NodeGB, memory/1024),
		beside("busy cores of PostgreSQL", p.PGCores, used.postgres.Seconds()/seconds),
		beside("busy cores of NATS", p.NATSCores, used.nats.Seconds()/seconds),
	}, nil
}
