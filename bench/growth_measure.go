package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fechatter/client"
)

const (
	// often is how many times an operation is measured, seldom one that takes long.
	often, seldom = 300, 50
	// behind is how many messages of each chat a resume lacks.
	behind = 10
	// busySenders never pause, each with one message under way.
	busySenders = 64
	busySockets = 8
)

// operations measures one operation after the other.
func (g *growing) operations(ctx context.Context, _ options, run *growthRun) error {
	chats := g.users[0].team.chats
	rng := rand.New(rand.NewPCG(7, uint64(run.Messages)))
	u := func(n int) *user { return g.users[n%len(g.users)] }
	get := func(n int, path string) error { return u(n).Call(ctx, http.MethodGet, path, nil, nil) }
	for _, m := range []struct {
		into  *summary
		times int
		do    func(n int) error
	}{
		{&run.Send, often, func(n int) error {
			_, err := u(n).send(ctx, chats[n%len(chats)], newID(), usual)
			return err
		}},
		{&run.Page, often, func(n int) error { return get(n, "/chats/"+chats[n%len(chats)]+"/messages?limit=50") }},
		{&run.Around, often, func(n int) error {
			return get(n, fmt.Sprintf("/chats/%s/messages?limit=50&around_seq=%d", chats[0], 100+rng.IntN(run.Messages/4)))
		}},
		{&run.Unread, often, func(n int) error { return get(n, "/chats?limit=50") }},
		{&run.Rare, often, func(n int) error {
			_, err := u(n).search(ctx, needle(needleEvery*rng.IntN(run.Messages/needleEvery)))
			return err
		}},
		{&run.Common, seldom, func(n int) error {
			_, err := u(n).search(ctx, g.search.text(rng)[:9])
			return err
		}},
		{&run.Resume, seldom, func(n int) error { return g.resume(ctx, u(n)) }},
	} {
		var err error
		if *m.into, err = timed(m.times, m.do); err != nil {
			return err
		}
	}
	return nil
}

// timed does something so many times, after a tenth of that which does not count.
func timed(times int, do func(n int) error) (summary, error) {
	took := make([]time.Duration, 0, times)
	for n := range times + times/10 {
		began := time.Now()
		if err := do(n); err != nil {
			return summary{}, err
		}
		if n >= times/10 {
			took = append(took, time.Since(began))
		}
	}
	return summarize(took), nil
}

// resume connects as somebody who has missed the last messages of every chat.
func (g *growing) resume(ctx context.Context, u *user) error {
	conn, err := u.connect(ctx, g.server.url, g.cursors, func(f client.Frame) {})
	if err != nil {
		return err
	}
	return conn.CloseNow()
}

// lag sets the cursors of a resume: behind the last message of each chat.
func (g *growing) lag(ctx context.Context, _ options, _ *growthRun) error {
	var list struct {
		Chats []struct {
			ID      string `json:"id"`
			LastSeq int64  `json:"last_seq"`
		} `json:"chats"`
	}
	g.cursors = map[string]int64{}
	err := g.users[0].Call(ctx, http.MethodGet, "/chats?limit=100", nil, &list)
	for _, c := range list.Chats {
		g.cursors[c.ID] = c.LastSeq - behind
	}
	if err == nil && len(g.cursors) != growthChats {
		err = fmt.Errorf("%d chats are listed", len(g.cursors))
	}
	return err
}

// busyRun is what senders see who never pause.
type busyRun struct {
	mu    sync.Mutex
	acks  []time.Duration
	last  time.Time
	stall time.Duration
}

func (b *busyRun) acked(sent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.acks = append(b.acks, now.Sub(sent))
	b.stall = max(b.stall, now.Sub(b.last))
	b.last = now
}

// busy measures senders who never pause, and looks at readiness meanwhile.
func (g *growing) busy(ctx context.Context, o options, run *growthRun) error {
	b := &busyRun{last: time.Now()}
	end := time.Now().Add(o.duration)
	sending, sockets := errgroup.WithContext(ctx)
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range busySockets {
		conn, err := g.users[i%len(g.users)].connect(ctx, g.server.url, nil, func(client.Frame) {})
		if err != nil {
			return err
		}
		go readUntilClosed(reading, conn)
		for j := range busySenders / busySockets {
			sending.Go(func() error { return g.sendUntil(sockets, conn, end, b, i*busySockets+j) })
		}
	}
	sending.Go(func() (err error) {
		for time.Now().Before(end) && err == nil {
			if !g.server.ready(sockets) {
				run.Unready++
			}
			err = sleep(sockets, 100*time.Millisecond)
		}
		return err
	})
	err := sending.Wait()
	run.PerSec, run.Stall = hundredths(float64(len(b.acks))/o.duration.Seconds()), float64(b.stall.Microseconds())/1000
	run.Busy = summarize(b.acks)
	return err
}

func (g *growing) sendUntil(ctx context.Context, conn *client.Conn, end time.Time, b *busyRun, n int) error {
	chats := g.users[0].team.chats
	for ; time.Now().Before(end); n++ {
		sent := time.Now()
		if _, err := conn.Call(ctx, "message.send", message{chats[n%len(chats)], newID(), usual}); err != nil {
			return err
		}
		b.acked(sent)
	}
	return nil
}

// copies measures a backup and a rebuild of the index beside the running node.
func (g *growing) copies(ctx context.Context, _ options, run *growthRun) error {
	if err := g.search.awaitIndexed(ctx); err != nil {
		return err
	}
	copied := filepath.Join(g.server.dir, fmt.Sprintf("backup-%d", run.Messages))
	backup := exec.CommandContext(ctx, g.server.cmd.Path, "backup", copied)
	if g.postgres != nil {
		tool, err := exec.LookPath("pg_dump")
		if err != nil {
			found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
			if len(found) == 0 {
				return err
			}
			tool = found[len(found)-1]
		}
		backup = exec.CommandContext(ctx, tool, "--format=custom", "--file="+copied, g.url)
	}
	backup.Dir, backup.Env = g.server.cmd.Dir, g.server.cmd.Env
	began := time.Now()
	if out, err := backup.CombinedOutput(); err != nil {
		return fmt.Errorf("backup: %w: %s", err, out)
	}
	run.Backup = hundredths(time.Since(began).Seconds())
	var err error
	run.Reindex, err = rebuild(ctx, g.server)
	return err
}
