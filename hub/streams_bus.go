package hub

import (
	"context"
	"sync"
	"time"
)

// Open makes sure that the streams are subscribed on the bus, and keeps them so until release is
// called (idempotent). Call it before reading the positions for Attach. A lost bus is not an error:
// the position check covers it. The error is ErrClosed or the context's.
func (h *Hub) Open(ctx context.Context, ids ...string) (release func(), err error) {
	if h.stopped() {
		return nil, ErrClosed
	}
	pinned := make([]*stream, len(ids))
	for i, id := range ids {
		pinned[i] = h.streams.pin(id, func() *stream { return newStream(h, id) })
	}
	release = sync.OnceFunc(func() {
		for _, s := range pinned {
			s.unpin(time.Now())
		}
	})
	h.joinBus(ctx, pinned)
	if err := ctx.Err(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// joinBus subscribes what is not subscribed yet, and waits until all of it is in force.
func (h *Hub) joinBus(ctx context.Context, list []*stream) {
	unready := h.subscribe(list)
	if len(unready) == 0 || h.lost.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.BusTimeout)
	defer cancel()
	if err := h.bus.Flush(ctx); err != nil {
		h.log.Warn("bus did not confirm subscriptions; the position check covers them",
			"streams", len(unready), "error", err)
		for _, s := range unready {
			s.checkAt.Store(0)
		}
		return
	}
	for _, s := range unready {
		s.mu.Lock()
		s.ready = s.joined
		s.mu.Unlock()
	}
}

// subscribe asks the bus for streams it does not know, and returns those that are not confirmed.
// The bus is called under a lock of its own, so that a stream's end and its new beginning never
// pass each other.
func (h *Hub) subscribe(list []*stream) (unready []*stream) {
	h.busMu.Lock()
	defer h.busMu.Unlock()
	var ids []string
	for _, s := range list {
		s.mu.Lock()
		if !s.joined && !s.dead.Load() {
			ids = append(ids, s.id)
			s.joined = true
		}
		if !s.ready {
			unready = append(unready, s)
		}
		s.mu.Unlock()
	}
	if len(ids) == 0 {
		return unready
	}
	if err := h.bus.Subscribe(ids...); err != nil {
		h.log.Warn("bus refused subscriptions", "streams", len(ids), "error", err)
		h.refused.Store(true)
		for _, s := range unready {
			s.mu.Lock()
			s.joined = s.ready
			s.mu.Unlock()
		}
	}
	return unready
}

// rejoin subscribes again what the bus has refused.
func (h *Hub) rejoin() {
	if !h.refused.Swap(false) {
		return
	}
	var missing []*stream
	h.streams.each(func(s *stream) {
		s.mu.Lock()
		if !s.joined && s.pins+len(s.subs.list)+len(s.watchers) > 0 {
			missing = append(missing, s)
		}
		s.mu.Unlock()
	})
	if len(missing) > 0 {
		h.subscribe(missing)
	}
}

// retire gives up a stream that nobody has needed for Config.Linger.
func (h *Hub) retire(s *stream, now time.Time) {
	h.busMu.Lock()
	defer h.busMu.Unlock()
	if h.streams.drop(s, func() bool { return s.idleFor(now) }) {
		h.bus.Unsubscribe(s.id)
	}
}

// idleFor reports whether the linger is over; if it has begun again, the agenda looks later.
func (s *stream) idleFor(now time.Time) bool {
	s.lingering = false
	if len(s.subs.list) > 0 || len(s.watchers) > 0 || s.pins > 0 || s.pumping {
		if s.pumping {
			s.idle(now)
		}
		return false
	}
	if end := s.idleSince.Add(s.hub.cfg.Linger); end.After(now) {
		s.lingering = true
		s.hub.agenda.add(s, dueLinger, end)
		return false
	}
	return true
}
