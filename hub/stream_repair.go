package hub

import (
	"context"
	"math/rand/v2"
	"time"
)

// maxBackoff limits the wait after failed repairs.
const maxBackoff = 5 * time.Second

// holeDelay returns how long to wait before a hole is read: a little, for what is on its way, and
// longer after failures.
func (h *Hub) holeDelay(failures int) time.Duration {
	d := h.cfg.HoleDelayMin + rand.N(h.cfg.HoleDelayMax-h.cfg.HoleDelayMin+1)
	if failures > 0 {
		d = min(d<<min(failures, 10), maxBackoff)
	}
	return d
}

// repair reads a stream's hole from the source and offers what it finds. One runs per stream at a
// time.
func (h *Hub) repair(ctx context.Context, s *stream) {
	select {
	case h.repairs <- struct{}{}:
		defer func() { <-h.repairs }()
	case <-ctx.Done():
		return
	}
	after, history, ok := s.beginRepair()
	if !ok {
		return
	}
	limit := h.cfg.ResumeWindow + 1
	events, err := h.readEvents(ctx, s.id, after, limit)
	if err != nil && ctx.Err() == nil {
		h.stats.repairErrors.Add(1)
		h.log.Warn("stream repair failed", "stream", s.id, "after", after, "error", err)
	}
	s.endRepair(after, history, events, len(events) < limit, err, time.Now())
}

// beginRepair returns what to read, or false when the hole has closed by itself or nobody needs it
// filled any longer.
func (s *stream) beginRepair() (after int64, history uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seq.hole() || !s.wanted() {
		s.repairing = false
		s.abandon()
		return 0, 0, false
	}
	s.countRepair()
	return s.seq.beginRepair(), s.history, true
}

func (s *stream) countRepair() {
	c := &s.hub.stats
	switch {
	case s.seq.heard():
		c.repairsHole.Add(1)
	case len(s.waiters) > 0:
		c.repairsAttach.Add(1)
	default:
		c.repairsCheck.Add(1)
	}
}

// abandon forgets a position with a hole that nobody needs filled: the next Attach brings a newer
// one.
func (s *stream) abandon() {
	if s.seq.hole() && !s.wanted() {
		s.forget()
	}
}

// endRepair applies the answer; whole means that it reaches the end of the stream.
func (s *stream) endRepair(after int64, history uint32, events []Event, whole bool, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repairing = false
	defer s.followUp(now)
	if err != nil {
		s.failures++
		return
	}
	s.failures = 0
	if history != s.history {
		return
	}
	switch s.seq.judge(after, events, s.hub.cfg.ResumeWindow) {
	case repairStale:
	case repairTooFar:
		s.reset(ReasonTooFar, now)
	case repairTrimmed:
		s.reset(ReasonTrimmed, now)
	case repairFits:
		s.fill(after, events, whole, now)
	}
}

// fill discards what was held but never committed, then offers the events of a repair.
func (s *stream) fill(after int64, events []Event, whole bool, now time.Time) {
	if whole {
		last := after
		if len(events) > 0 {
			last = events[len(events)-1].Seq
		}
		s.hub.stats.discarded.Add(int64(s.seq.reconcile(last)))
	}
	for _, e := range events {
		if s.offer(e, now); !s.seq.placed() {
			return // something heard was found to be false
		}
	}
	s.popAll(now)
}
