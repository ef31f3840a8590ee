package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"fechatter/client"
)

// loadResult is one run of load. Times are milliseconds, as a client sees them.
type loadResult struct {
	Run         string  `json:"run"`
	Nodes       int     `json:"nodes"`
	Connections int     `json:"connections"`
	Rate        float64 `json:"rate"`
	Sends       int     `json:"sends"`
	Refused     int     `json:"refused"`
	Deliveries  int     `json:"deliveries"`
	Lost        int     `json:"lost"`
	OutOfOrder  int     `json:"out_of_order"`
	Ack         summary `json:"ack_ms"`
	Delivery    summary `json:"delivery_ms"`
}

type summary struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func summarize(times []time.Duration) summary {
	if len(times) == 0 {
		return summary{}
	}
	slices.Sort(times)
	at := func(q float64) float64 {
		return float64(times[int(q*float64(len(times)-1))].Microseconds()) / 1000
	}
	return summary{P50: at(0.5), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

// loadRun counts what one run sees.
type loadRun struct {
	mu        sync.Mutex
	sent      map[string]sent
	due       int // deliveries of what was acknowledged
	acks      []time.Duration
	delivered []time.Duration
	refused   int
	disorder  int
}

// sent is a message that was sent and how many connections must get it.
type sent struct {
	at       time.Time
	audience int
}

// member is one connection under load.
type member struct {
	user *user
	conn *client.Conn
}

func load(ctx context.Context, o options) (any, error) {
	c, err := startCluster(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.stop() }()
	users, err := setUp(ctx, c.url(0), o)
	if err != nil {
		return nil, err
	}
	members, err := join(ctx, c, users, o.connections)
	if err != nil {
		return nil, err
	}
	r := &loadRun{sent: map[string]sent{}}
	var readers sync.WaitGroup
	for _, m := range members {
		readers.Go(func() { r.read(ctx, m.conn) })
	}
	if err := r.send(ctx, o, members); err != nil {
		return nil, err
	}
	r.await(ctx)
	for _, m := range members {
		_ = m.conn.CloseNow()
	}
	readers.Wait()
	return loadResult{Run: "load", Nodes: o.nodes, Connections: o.connections, Rate: o.rate, Sends: len(r.acks), Refused: r.refused,
		Deliveries: len(r.delivered), Lost: r.due - len(r.delivered), OutOfOrder: r.disorder,
		Ack: summarize(r.acks), Delivery: summarize(r.delivered)}, nil
}

// join connects the users, as often as it takes, to the nodes in turn.
func join(ctx context.Context, c *cluster, users []*user, connections int) ([]member, error) {
	members := make([]member, connections)
	err := each(ctx, connections, func(i int) error {
		u := users[i%len(users)]
		// Each round over the users moves on by one node, so that each user is on all.
		conn, err := u.connect(ctx, c.url(i+i/len(users)), nil, func(client.Frame) {})
		members[i] = member{user: u, conn: conn}
		return err
	})
	for _, m := range members {
		m.user.team.connections++
	}
	return members, err
}

// send spreads the sends evenly over time, connections and chats. Its clock does
// not wait for answers, so that a slow server shows.
func (r *loadRun) send(ctx context.Context, o options, members []member) error {
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
	defer tick.Stop()
	end := time.After(o.duration)
	for i := 0; ; i++ {
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		m, key := members[i%len(members)], fmt.Sprintf("k%d", i)
		t := m.user.team
		r.expect(key, t.connections)
		if err := m.conn.Write(ctx, key, "message.send", message{t.chats[i%len(t.chats)], key, usual}); err != nil {
			return err
		}
	}
}

// expect notes a send that is about to be made, for so many connections.
func (r *loadRun) expect(key string, audience int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[key] = sent{at: time.Now(), audience: audience}
}

// forget takes back what was expected of a send that could not be made.
func (r *loadRun) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sent, key)
}

// message is what a load sends.
type message struct {
	ChatID string `json:"chat_id"`
	Key    string `json:"key"`
	Body   string `json:"body"`
}

const usual = "a message of about the usual length, as people write it at work"

// await waits until everything was delivered, at most 5 seconds.
func (r *loadRun) await(ctx context.Context) {
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r.mu.Lock()
		done := len(r.acks)+r.refused == len(r.sent) && len(r.delivered) == r.due
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (r *loadRun) read(ctx context.Context, conn *client.Conn) {
	last := map[string]int64{}
	for {
		f, err := conn.Read(ctx)
		if err != nil {
			return
		}
		now, key := time.Now(), ""
		if f.Op == "message.created" {
			key = detailsOf(f).Key
		}
		r.mu.Lock()
		switch f.Op {
		case "ok":
			r.acks = append(r.acks, now.Sub(r.sent[*f.Re].at))
			r.due += r.sent[*f.Re].audience
		case "error":
			r.refused++
		case "message.created":
			if s, ours := r.sent[key]; ours {
				r.delivered = append(r.delivered, now.Sub(s.at))
			}
			if l := last[f.ChatID]; l != 0 && f.Seq != l+1 {
				r.disorder++
			}
			last[f.ChatID] = f.Seq
		}
		r.mu.Unlock()
	}
}
