package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"fechatter/client"
)

// drainBins divides the time in which clients come back, to find its peak.
const drainBins = 10

// drainResult is one run of drain.
type drainResult struct {
	Run         string  `json:"run"`
	Connections int     `json:"connections"`
	Window      float64 `json:"window_s"`  // from the first client to come back to the last
	Told        float64 `json:"told_peak"` // most clients told to come back in a tenth of the window, over the mean
	Peak        float64 `json:"peak"`      // the same of when they came back, on a machine that does other work
	Exit        float64 `json:"exit_s"`    // from SIGTERM to the end of the process
	Retries     int     `json:"retries"`
	Sends       int     `json:"sends"`
	Refused     int     `json:"refused"`
	Lost        int     `json:"lost"`    // events that a client missed
	Doubled     int     `json:"doubled"` // or got twice
	Ack         summary `json:"ack_ms"`
}

// drainRun is the clients of the node that leaves. Each holds a cursor for every
// chat of its team.
type drainRun struct {
	to      string // the node that stays
	clients []*drainClient
	mu      sync.Mutex
	dues    []time.Duration // when they were told to come back, since the signal
	backs   []time.Duration // when they did
	begin   time.Time
	retries int
}

type drainClient struct {
	user *user
	run  *drainRun

	mu      sync.Mutex
	cursors map[string]int64
	lost    int
	doubled int
}

// drain asks the first node to leave while the users of the second go on sending: its
// clients move over when they are told to.
func drain(ctx context.Context, o options) (any, error) {
	if o.nodes < 2 {
		return nil, errors.New("drain needs -nodes 2")
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
	r := &drainRun{to: c.url(1)}
	s := &stormRun{users: users}
	others, err := s.others(ctx, c)
	if err != nil {
		return nil, err
	}
	var clients sync.WaitGroup
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.arrive(ctx, reading, &clients, c.url(0), users, o.connections); err != nil {
		return nil, err
	}
	load := &loadRun{sent: map[string]sent{}}
	for _, m := range others {
		clients.Go(func() { load.read(ctx, m.conn) })
	}
	sending := make(chan error, 1)
	go func() { sending <- load.send(ctx, o, others) }()
	exit, err := r.leave(c.nodes[0])
	if err != nil {
		return nil, err
	}
	if err := <-sending; err != nil {
		return nil, err
	}
	load.await(ctx)
	r.await(ctx)
	cancel()
	for _, m := range others {
		_ = m.conn.CloseNow()
	}
	clients.Wait()
	return r.result(o, load, exit)
}

// arrive connects the clients to the node that will leave.
func (r *drainRun) arrive(ctx, reading context.Context, all *sync.WaitGroup, url string, users []*user, connections int) error {
	r.clients = make([]*drainClient, connections)
	return each(ctx, connections, func(i int) error {
		d := &drainClient{user: users[i%len(users)], run: r, cursors: map[string]int64{}}
		r.clients[i] = d
		conn, err := d.user.connect(ctx, url, nil, d.note)
		if err == nil {
			all.Go(func() { d.follow(reading, conn) })
		}
		return err
	})
}

// leave asks the node to go and returns how long it took.
func (r *drainRun) leave(s *server) (time.Duration, error) {
	r.mu.Lock()
	r.begin = time.Now()
	r.mu.Unlock()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	if err := s.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("the node ended with %w", err)
	}
	return time.Since(r.begin), nil
}

// follow reads until ctx ends. Told to go, the client does so at its time and comes back.
func (d *drainClient) follow(ctx context.Context, conn *client.Conn) {
	defer func() { _ = conn.CloseNow() }()
	for {
		f, err := conn.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil, f.Op == "drain":
			next := d.comeBack(ctx, time.Duration(detailsOf(f).RetryAfterMS)*time.Millisecond, conn)
			if next == nil {
				return
			}
			conn = next
		default:
			d.note(f)
		}
	}
}

// comeBack reads on until its time, then connects to the other node.
func (d *drainClient) comeBack(ctx context.Context, after time.Duration, conn *client.Conn) *client.Conn {
	d.run.mu.Lock()
	d.run.dues = append(d.run.dues, time.Since(d.run.begin)+after)
	d.run.mu.Unlock()
	due, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	for {
		f, err := conn.Read(due)
		if err != nil {
			break
		}
		d.note(f)
	}
	_ = conn.CloseNow()
	d.run.mu.Lock()
	d.run.backs = append(d.run.backs, time.Since(d.run.begin))
	d.run.mu.Unlock()
	for try := 0; ctx.Err() == nil; try++ {
		next, err := d.user.connect(ctx, d.run.to, d.cursors, d.note)
		if err == nil {
			return next
		}
		d.run.mu.Lock()
		d.run.retries++
		d.run.mu.Unlock()
		time.Sleep(min(time.Second, 100*time.Millisecond<<min(try, 4)))
	}
	return nil
}

func (d *drainClient) note(f client.Frame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Op == "chats" {
		for _, c := range detailsOf(f).Chats {
			if _, known := d.cursors[c.ID]; !known {
				d.cursors[c.ID] = c.LastSeq
			}
		}
	}
	if f.Op != "message.created" {
		return
	}
	switch last, known := d.cursors[f.ChatID]; {
	case known && f.Seq <= last:
		d.doubled++
		return
	case known:
		d.lost += int(f.Seq - last - 1)
	}
	d.cursors[f.ChatID] = f.Seq
}

func (r *drainRun) result(o options, load *loadRun, exit time.Duration) (any, error) {
	if len(r.backs) < 2 {
		return nil, errors.New("nobody came back")
	}
	window := slices.Max(r.backs) - slices.Min(r.backs)
	out := drainResult{Run: "drain", Connections: o.connections, Window: window.Seconds(), Exit: exit.Seconds(), Retries: r.retries,
		Told: peakOf(r.dues), Peak: peakOf(r.backs),
		Sends: len(load.acks), Refused: load.refused, Ack: summarize(load.acks)}
	out.Lost, out.Doubled = r.wrong()
	return out, nil
}

// peakOf returns the most times in one part of their span, as a multiple of the mean.
func peakOf(times []time.Duration) float64 {
	first, last := slices.Min(times), slices.Max(times)
	var bins [drainBins]int
	for _, at := range times {
		bins[int((at-first)*drainBins/(last-first+1))]++
	}
	return float64(slices.Max(bins[:])) * drainBins / float64(len(times))
}

// await waits until every client has everything, at most 10 seconds.
func (r *drainRun) await(ctx context.Context) {
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if lost, _ := r.wrong(); lost == 0 {
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

// wrong counts the events that clients lack but others of their team have, and those
// that they got twice.
func (r *drainRun) wrong() (lost, doubled int) {
	heads := map[string]int64{}
	for _, d := range r.clients {
		d.mu.Lock()
		for chat, seq := range d.cursors {
			heads[chat] = max(heads[chat], seq)
		}
		d.mu.Unlock()
	}
	for _, d := range r.clients {
		d.mu.Lock()
		lost, doubled = lost+d.lost, doubled+d.doubled
		for _, chat := range d.user.team.chats {
			lost += int(heads[chat] - d.cursors[chat])
		}
		d.mu.Unlock()
	}
	return lost, doubled
}
