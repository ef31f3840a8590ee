package hub

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// maxBackoff bounds the wait after repairs that failed.
const maxBackoff = 5 * time.Second

// holeDelay is how long to wait before a hole is read: a little, for what is under way, and longer after failures.
func (h *Hub) holeDelay(failures int) time.Duration {
	d := h.cfg.HoleDelayMin + rand.N(h.cfg.HoleDelayMax-h.cfg.HoleDelayMin+1)
	if failures > 0 {
		d = min(d<<min(failures, 10), maxBackoff)
	}
	return d
}

// repair reads a stream's hole from the source and offers what it finds. One runs per stream at a time.
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
	ctx, cancel := context.WithTimeout(ctx, h.cfg.SourceTimeout)
	defer cancel()
	events, err := h.src.Events(ctx, s.id, after, limit)
	if err == nil {
		events, err = consecutive(events)
	}
	if err != nil && ctx.Err() != context.Canceled {
		h.stats.repairErrors.Add(1)
		h.log.Warn("repair of a stream failed", "stream", s.id, "after", after, "error", err)
	}
	s.endRepair(after, history, events, len(events) < limit, err, time.Now())
}

// consecutive checks what a source has answered: one gap and it cannot be trusted.
func consecutive(events []Event) ([]Event, error) {
	for i, e := range events {
		if err := e.valid(); err != nil {
			return nil, err
		}
		if i > 0 && e.Seq != events[i-1].Seq+1 {
			return nil, fmt.Errorf("source answered seq %d after %d", e.Seq, events[i-1].Seq)
		}
	}
	return events, nil
}

// beginRepair answers what to read, or false when the hole has closed by itself or nobody needs it any more.
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

// abandon forgets a position that has a hole which nobody needs filled: the next Attach brings a newer one.
func (s *stream) abandon() {
	if s.seq.hole() && !s.wanted() {
		s.forget()
	}
}

// endRepair takes the answer in. whole says that it reaches to the end of the stream.
func (s *stream) endRepair(after int64, history uint32, events []Event, whole bool, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repairing = false
	defer s.settle(now)
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
		s.hub.stats.discarded.Add(int64(s.seq.settle(last)))
	}
	for _, e := range events {
		s.offer(e, now)
	}
	s.popAll(now)
}
