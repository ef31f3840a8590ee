package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// drainBins is into how many parts the time of coming back is divided, to find
// its peak.
const drainBins = 10

// drainResult is one run of drain.
type drainResult struct {
	Run         string  `json:"run"`
	Connections int     `json:"connections"`
	Window      float64 `json:"window_s"`  // from the first who comes back to the last
	Told        float64 `json:"told_peak"` // of what the clients were told: of a tenth of the window, times the mean
	Peak        float64 `json:"peak"`      // of when they came back, on a machine that has other things to do
	Exit        float64 `json:"exit_s"`    // from SIGTERM to the end of the process
	Retries     int     `json:"retries"`
	Sends       int     `json:"sends"`
	Refused     int     `json:"refused"`
	Lost        int     `json:"lost"`    // events that a client did not get
	Doubled     int     `json:"doubled"` // or got again
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

// drain has the first node leave in order while the users of the second go on
// sending: its clients move over when they are told to.
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
	reading, stop := context.WithCancel(ctx)
	defer stop()
	if err := r.arrive(ctx, reading, &clients, c.url(0), users, o.connections); err != nil {
		return nil, err
	}
	load := &loadRun{sent: map[string]sent{}}
	for _, m := range others {
		clients.Go(func() { load.read(ctx, m.ws) })
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
	load.settle(ctx)
	r.settle(ctx)
	stop()
	for _, m := range others {
		_ = m.ws.CloseNow()
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
		ws, err := d.user.connect(ctx, url, nil, d.take)
		if err == nil {
			all.Go(func() { d.follow(reading, ws) })
		}
		return err
	})
}

// leave asks the node to go and answers how long it took.
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

// follow reads until ctx ends; told to go, it does so at its time and comes back.
func (d *drainClient) follow(ctx context.Context, ws *websocket.Conn) {
	defer func() { _ = ws.CloseNow() }()
	for {
		f, err := read(ctx, ws)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil, f.Op == "drain":
			next := d.comeBack(ctx, time.Duration(f.D.RetryAfterMS)*time.Millisecond, ws)
			if next == nil {
				return
			}
			ws = next
		default:
			d.take(f)
		}
	}
}

// comeBack reads on until its time, then connects to the other node.
func (d *drainClient) comeBack(ctx context.Context, after time.Duration, ws *websocket.Conn) *websocket.Conn {
	d.run.mu.Lock()
	d.run.dues = append(d.run.dues, time.Since(d.run.begin)+after)
	d.run.mu.Unlock()
	due, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	for {
		f, err := read(due, ws)
		if err != nil {
			break
		}
		d.take(f)
	}
	_ = ws.CloseNow()
	d.run.mu.Lock()
	d.run.backs = append(d.run.backs, time.Since(d.run.begin))
	d.run.mu.Unlock()
	for try := 0; ctx.Err() == nil; try++ {
		next, err := d.user.connect(ctx, d.run.to, d.cursors, d.take)
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

func (d *drainClient) take(f frame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range f.D.Chats {
		if _, known := d.cursors[c.ID]; !known {
			d.cursors[c.ID] = c.LastSeq
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

// peakOf gives the most of times in one part of their span, as a multiple of the mean.
func peakOf(times []time.Duration) float64 {
	first, last := slices.Min(times), slices.Max(times)
	var bins [drainBins]int
	for _, at := range times {
		bins[int((at-first)*drainBins/(last-first+1))]++
	}
	return float64(slices.Max(bins[:])) * drainBins / float64(len(times))
}

// settle waits until every client has everything, at most 10 seconds.
func (r *drainRun) settle(ctx context.Context) {
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

// wrong counts what clients do not have that others of their team have, and what
// they got again.
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
