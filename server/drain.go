package server

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	drainWindow = 5 * time.Second
	drainPace   = 25 * time.Millisecond // between two rounds of frames and closes
	drainGrace  = time.Second           // that a client has beyond the time it was given
	drainEach   = 5 * time.Millisecond  // between two clients, where the window allows: a few are gone soon
)

// departure is when a connection has to go, and when it is told to, both counted
// from the start of the drain.
type departure struct {
	c          *connection
	notice, at time.Duration
}

// departures spreads connections evenly over a window, in random order. They get
// notice in its first tenth.
func departures(list []*connection, window time.Duration) []departure {
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	each := min(drainEach, max(0, window-drainGrace)/time.Duration(max(1, len(list))))
	plan := make([]departure, len(list))
	for i, c := range list {
		plan[i] = departure{c: c, notice: time.Duration(i) * each / 10, at: time.Duration((float64(i) + rand.Float64()) * float64(each))}
	}
	return plan
}

// Drain asks every client to reconnect elsewhere, each at a time of its own, and
// refuses new ones. Clients that have not gone by their time and a grace are closed
// with 1012, in the same waves. It returns when no connection is left or ctx ends,
// which without a deadline takes drainWindow.
func (s *Server) Drain(ctx context.Context) {
	s.realtime.draining.Store(true)
	window := drainWindow
	if deadline, ok := ctx.Deadline(); ok {
		window = time.Until(deadline) * 3 / 4 // the rest is for the close handshakes
	}
	leaving, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	s.leaveInWaves(leaving, departures(s.realtime.connections.list(nil), window))
	for _, c := range s.realtime.connections.list(nil) { // those that connected meanwhile
		c.socket.Close(closeRestart, "restart")
	}
	s.awaitGone(ctx)
}

// leaveInWaves carries out the plan, until it is done, no connection is left or ctx
// ends.
func (s *Server) leaveInWaves(ctx context.Context, plan []departure) {
	start := time.Now()
	tick := time.NewTicker(drainPace)
	defer tick.Stop()
	for noticed, closed := 0, 0; closed < len(plan); {
		now := time.Since(start)
		for ; noticed < len(plan) && plan[noticed].notice <= now; noticed++ {
			plan[noticed].sendNotice(now)
		}
		for ; closed < noticed && plan[closed].at+drainGrace <= now; closed++ {
			plan[closed].c.socket.Close(closeRestart, "restart")
		}
		if s.realtime.connections.count() == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (d departure) sendNotice(now time.Duration) {
	left := max(0, d.at-now)
	d.c.send(pushFrame{Op: "drain", D: drainData{RetryAfterMS: left.Milliseconds(), DeadlineMS: (left + drainGrace).Milliseconds()}})
}

func (s *Server) awaitGone(ctx context.Context) {
	tick := time.NewTicker(drainPace)
	defer tick.Stop()
	for s.realtime.connections.count() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
