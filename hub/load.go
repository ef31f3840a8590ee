package hub

import (
	"context"
	"fmt"
	"math/bits"
	"time"
)

// minLoad is the smallest number of events by which a ring is completed.
const minLoad = 64

// load completes a stream's ring backwards from the source, at least to a cursor, and refreshes its stale entries. All
// who ask meanwhile wait for the same read. A ring serves every member alike: it holds the removals too, so that an
// Attach sees that of its own user. read says that this call has read for this cursor, and not waited for another's.
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
	// Others wait for this read: it does not end with the caller that happened to begin it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.cfg.SourceTimeout)
	defer cancel()
	events, err := h.src.Events(ctx, s.id, after, 2*h.cfg.RingEvents)
	if err == nil {
		events, err = consecutive(events)
	}
	s.endLoad(history, events, time.Now())
	if err != nil {
		return true, fmt.Errorf("read events of stream: %w", err)
	}
	return true, nil
}

// beginLoad answers what to wait for, or what to read: a power of two of events, so that different cursors share reads.
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
	}
	before := s.ring.bytes
	s.ring.merge(events, s.seq.head(), s.hub.cfg.RingEvents)
	s.hub.stats.ringBytes.Add(int64(s.ring.bytes - before))
	s.lastEvent = now
	s.shrink()
}
