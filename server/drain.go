package server

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	drainWindow = 5 * time.Second
	drainPace   = 25 * time.Millisecond // between two looks at who is to be told, or closed
	drainGrace  = time.Second           // from the time that a client was given to its end
	drainEach   = 5 * time.Millisecond  // between two clients, where the window allows: few are gone soon
)

// departure is when a connection is to go, and when it is told so, both from the
// begin of the drain on.
type departure struct {
	c        *connection
	told, at time.Duration
}

// departures spreads connections evenly over a window, in an order drawn by lot.
// They are told in the first tenth of it.
func departures(list []*connection, window time.Duration) []departure {
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	each := min(drainEach, max(0, window-drainGrace)/time.Duration(max(1, len(list))))
	plan := make([]departure, len(list))
	for i, c := range list {
		plan[i] = departure{c: c, told: time.Duration(i) * each / 10, at: time.Duration((float64(i) + rand.Float64()) * float64(each))}
	}
	return plan
}

// Drain asks every client to come back elsewhere, each at a time of its own, and
// refuses new ones. Who has not gone by its time, and a grace, is closed with
// 1012: in the same waves. It returns when no connection is left or ctx ends,
// after drainWindow without a deadline.
func (s *Server) Drain(ctx context.Context) {
	s.realtime.draining.Store(true)
	window := drainWindow
	if deadline, ok := ctx.Deadline(); ok {
		window = time.Until(deadline) * 3 / 4 // the rest is for the close handshakes
	}
	leaving, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	s.leaveInWaves(leaving, departures(s.realtime.connections.list(nil), window))
	for _, c := range s.realtime.connections.list(nil) { // those who were just coming
		c.socket.Close(closeRestart, "restart")
	}
	s.awaitGone(ctx)
}

// leaveInWaves carries out the plan, until it is done, nobody is left or ctx ends.
func (s *Server) leaveInWaves(ctx context.Context, plan []departure) {
	begin := time.Now()
	tick := time.NewTicker(drainPace)
	defer tick.Stop()
	for told, closed := 0, 0; closed < len(plan); {
		now := time.Since(begin)
		for ; told < len(plan) && plan[told].told <= now; told++ {
			plan[told].tell(now)
		}
		for ; closed < told && plan[closed].at+drainGrace <= now; closed++ {
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

func (d departure) tell(now time.Duration) {
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
