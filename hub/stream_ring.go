package hub

import (
	"context"
	"math/bits"
	"time"
)

// minLoad is the smallest number of events by which a ring is completed.
const minLoad = 64

// keep puts an event into the ring and keeps to the limits.
func (s *stream) keep(e Event) {
	before := s.ring.bytes
	s.ring.push(e, s.hub.cfg.RingEvents)
	s.hub.stats.ringBytes.Add(int64(s.ring.bytes - before))
	s.shrink()
}

// shrink drops the oldest entries while all rings together exceed their limit.
func (s *stream) shrink() {
	for s.ring.n > 1 && s.hub.stats.ringBytes.Load() > int64(s.hub.cfg.RingBytes) {
		before := s.ring.bytes
		s.ring.dropFirst()
		s.hub.stats.ringBytes.Add(int64(s.ring.bytes - before))
	}
}

func (s *stream) clearRing() {
	s.hub.stats.ringBytes.Add(-int64(s.ring.bytes))
	s.ring.clear()
}

// size adds up the data of the entries after one seq up to another, and returns the head. ok is
// false when the ring does not hold them all.
func (s *stream) size(after, last int64) (size int, head int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, ok = s.ring.size(after, last)
	return size, s.seq.head(), ok
}

// load completes a stream's ring backwards from the source, at least to a cursor, and refreshes its
// stale entries. All who ask in the meantime wait for the same read. A ring serves every member
// alike: it holds the removals too, so that an Attach sees that of its own user. read means that
// this call has read for this cursor, rather than waited for another's.
func (h *Hub) load(ctx context.Context, s *stream, cursor int64) (read bool, err error) {
	wait, after, history := s.beginLoad(cursor)
	if wait != nil {
		select {
		case <-wait:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-h.ended:
			return false, ErrClosed
		}
	}
	h.stats.ringLoads.Add(1)
	// Others wait for this read: it must not end with the caller that happened to begin it.
	events, err := h.readEvents(context.WithoutCancel(ctx), s.id, after, 2*h.cfg.RingEvents)
	s.endLoad(history, events, time.Now())
	return true, err
}

// beginLoad returns what to wait for or what to read: a power of two of events, so that different
// cursors share reads.
func (s *stream) beginLoad(cursor int64) (wait <-chan struct{}, after int64, history uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loading != nil {
		return s.loading, 0, 0
	}
	s.loading = make(chan struct{})
	missing := max(s.seq.head()-cursor, 1)
	missing = max(minLoad, int64(1)<<bits.Len64(uint64(missing-1)))
	return nil, max(0, min(cursor, s.seq.head()-missing)), s.history
}

func (s *stream) endLoad(history uint32, events []Event, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.loading)
	s.loading = nil
	if history != s.history || s.dead.Load() {
		return
	}
	for i := range events {
		events[i].Stream = s.id
		if was := s.ring.find(events[i].Seq); was != nil && events[i].contradicts(was) {
			s.expose(events[i].Seq, now)
			return
		}
	}
	before := s.ring.bytes
	s.ring.merge(events, s.seq.head(), s.hub.cfg.RingEvents)
	s.hub.stats.ringBytes.Add(int64(s.ring.bytes - before))
	s.lastEvent = now
	s.shrink()
}
