package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fechatter/client"
)

const (
	// stormSpread is the time over which the clients come back.
	stormSpread = 5 * time.Second
	// stormPatience is how long a client goes on trying after the restart.
	stormPatience = 60 * time.Second
)

// stormResult is one run of storm.
type stormResult struct {
	Run         string  `json:"run"`
	Connections int     `json:"connections"`
	Behind      int     `json:"events_missed"` // by each client, while it was away
	Attempts    int64   `json:"attempts"`
	Lost        int64   `json:"lost"`    // clients that did not come back
	Missing     int64   `json:"missing"` // events that a resume did not bring
	Live        float64 `json:"all_live_s"`
	Resume      summary `json:"resume_ms"` // from the dial that succeeded to ready
	Ack         summary `json:"others_ack_ms"`
	Refused     int     `json:"others_refused"`
}

// storm brings all clients of the first node back within stormSpread after a restart, with
// events to catch up on, while the users of the second go on sending.
func storm(ctx context.Context, o options) (any, error) {
	if o.nodes < 2 {
		return nil, errors.New("storm needs -nodes 2")
	}
	c, err := startCluster(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.stop() }()
	users, err := setUp(ctx, c.url(1), o)
	if err != nil {
		return nil, err
	}
	s := &stormRun{url: c.nodes[0].url, users: users, cursors: map[string]int64{}}
	if err := s.arrive(ctx, o.connections); err != nil {
		return nil, err
	}
	others, err := s.others(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := c.nodes[0].cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return nil, err
	}
	behind := o.chats * 10
	if err := s.fallBehind(ctx, 10); err != nil {
		return nil, err
	}
	load := &loadRun{sent: map[string]sent{}}
	var work sync.WaitGroup
	for _, m := range others {
		work.Go(func() { load.read(ctx, m.conn) })
	}
	sending := make(chan error, 1)
	go func() { sending <- load.send(ctx, o, others) }()
	if err := c.nodes[0].restart(ctx); err != nil {
		return nil, err
	}
	live := s.comeBack(ctx, o.connections)
	if err := <-sending; err != nil {
		return nil, err
	}
	load.await(ctx)
	for _, m := range others {
		_ = m.conn.CloseNow()
	}
	work.Wait()
	return stormResult{Run: "storm", Connections: o.connections, Behind: behind, Attempts: s.attempts.Load(), Lost: s.lost.Load(), Missing: s.missing.Load(),
		Live: live.Seconds(), Resume: summarize(s.resumes), Ack: summarize(load.acks), Refused: load.refused}, nil
}

// stormRun is the clients of the node that restarts.
type stormRun struct {
	url      string
	users    []*user
	cursors  map[string]int64 // of every chat, before the restart
	missed   map[string]int64 // the last seq of every chat, at the restart
	attempts atomic.Int64
	lost     atomic.Int64
	missing  atomic.Int64
	mu       sync.Mutex
	resumes  []time.Duration
}

// arrive connects the clients for the first time; they die with their node.
func (s *stormRun) arrive(ctx context.Context, connections int) error {
	return each(ctx, connections, func(i int) error {
		conn, err := s.users[i%len(s.users)].connect(ctx, s.url, nil, func(client.Frame) {})
		if err != nil {
			return err
		}
		go readUntilClosed(ctx, conn)
		return nil
	})
}

// others are one user of each team, connected to the second node.
func (s *stormRun) others(ctx context.Context, c *cluster) ([]member, error) {
	var members []member
	for i, u := range s.users {
		if u != u.team.users[0] {
			continue
		}
		conn, err := u.connect(ctx, c.url(1), nil, func(client.Frame) {})
		if err != nil {
			return nil, fmt.Errorf("connect user %d to the other node: %w", i, err)
		}
		u.team.connections++
		members = append(members, member{user: u, conn: conn})
	}
	return members, nil
}

// fallBehind sends messages to every chat while the clients are away.
func (s *stormRun) fallBehind(ctx context.Context, each int) error {
	s.missed = map[string]int64{}
	for _, u := range s.users {
		if u != u.team.users[0] {
			continue
		}
		for _, chat := range u.team.chats {
			for i := range each {
				seq, err := u.send(ctx, chat, fmt.Sprint("missed", i), "while you were away")
				if err != nil {
					return err
				}
				if i == 0 {
					s.cursors[chat] = seq - 1
				}
				s.missed[chat] = seq
			}
		}
	}
	return nil
}

// comeBack reconnects every client at a random moment of stormSpread, with full-jitter
// backoff after a failure, and returns when the last one was live.
func (s *stormRun) comeBack(ctx context.Context, connections int) time.Duration {
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, stormPatience)
	defer cancel()
	var clients sync.WaitGroup
	var live time.Duration
	for i := range connections {
		clients.Go(func() {
			wait := time.Duration(rand.Int64N(int64(stormSpread)))
			for try := 0; ; try++ {
				select {
				case <-time.After(wait):
				case <-ctx.Done():
					s.lost.Add(1)
					return
				}
				if s.again(ctx, s.users[i%len(s.users)]) == nil {
					s.mu.Lock()
					live = max(live, time.Since(started))
					s.mu.Unlock()
					return
				}
				wait = time.Duration(rand.Int64N(int64(500*time.Millisecond) << min(try, 5)))
			}
		})
	}
	clients.Wait()
	return live
}

// again is one attempt; its connection stays open until the run ends.
func (s *stormRun) again(ctx context.Context, u *user) error {
	s.attempts.Add(1)
	cursors, due := map[string]int64{}, int64(0)
	for _, chat := range u.team.chats {
		cursors[chat] = s.cursors[chat]
		due += s.missed[chat] - s.cursors[chat]
	}
	begun, got := time.Now(), int64(0)
	conn, err := u.connect(ctx, s.url, cursors, func(f client.Frame) {
		if f.Op == "message.created" && f.Seq <= s.missed[f.ChatID] {
			got++
		}
	})
	if err != nil {
		return err
	}
	s.missing.Add(due - got)
	s.mu.Lock()
	s.resumes = append(s.resumes, time.Since(begun))
	s.mu.Unlock()
	go readUntilClosed(context.WithoutCancel(ctx), conn)
	return nil
}
