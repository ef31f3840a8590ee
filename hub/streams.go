package hub

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const shardCount = 64

// streams finds a stream by its id.
type streams struct {
	seed   maphash.Seed
	count  atomic.Int64
	shards [shardCount]shard
}

type shard struct {
	mu sync.RWMutex
	m  map[string]*stream
}

func (t *streams) shard(id string) *shard {
	return &t.shards[maphash.String(t.seed, id)%shardCount]
}

// find answers a stream, or nil.
func (t *streams) find(id string) *stream {
	sh := t.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.m[id]
}

// pin answers a stream that stays until unpin; missing ones are made by create, which may be nil.
func (t *streams) pin(id string, create func() *stream) *stream {
	sh := t.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.m[id]
	if s == nil {
		if create == nil {
			return nil
		}
		if sh.m == nil {
			sh.m = make(map[string]*stream)
		}
		s = create()
		sh.m[id] = s
		t.count.Add(1)
	}
	s.mu.Lock()
	s.pins++
	s.mu.Unlock()
	return s
}

// drop removes a stream if free agrees, which is called under the locks of the shard and the stream.
func (t *streams) drop(s *stream, free func() bool) bool {
	sh := t.shard(s.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead.Load() || !free() {
		return false
	}
	s.dead.Store(true)
	s.clearRing()
	delete(sh.m, s.id)
	t.count.Add(-1)
	return true
}

// each calls f for every stream; f may lock the stream.
func (t *streams) each(f func(*stream)) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.RLock()
		for _, s := range sh.m {
			f(s)
		}
		sh.mu.RUnlock()
	}
}

func (s *stream) unpin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pins--
	s.idle(now)
}

// Open makes sure that the streams are subscribed on the bus, and keeps them so until release is called (idempotent).
// It must come before the positions are read that Attach is given. A lost bus is no error: the position check covers
// it. The error is ErrClosed or the context's.
func (h *Hub) Open(ctx context.Context, ids ...string) (release func(), err error) {
	if h.over() {
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
	if openBeforeRead {
		h.joinBus(ctx, pinned)
	}
	if err := ctx.Err(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// joinBus subscribes what is not yet subscribed, and waits until all of it is in force.
func (h *Hub) joinBus(ctx context.Context, list []*stream) {
	unready := h.subscribe(list)
	if len(unready) == 0 || h.lost.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.BusTimeout)
	defer cancel()
	if err := h.bus.Flush(ctx); err != nil {
		h.log.Warn("bus did not confirm subscriptions; the position check covers them", "streams", len(unready), "error", err)
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

// subscribe tells the bus of streams that it does not know, and answers those that are not confirmed. The bus is
// called under a lock of its own, so that a stream's end and a new beginning never pass each other.
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
		h.log.Warn("bus did not take subscriptions", "streams", len(ids), "error", err)
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
		if !s.joined && s.pins+len(s.subs.list) > 0 {
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

// idleFor reports whether the linger is over; if it only began anew, the agenda looks again.
func (s *stream) idleFor(now time.Time) bool {
	s.lingering = false
	if len(s.subs.list) > 0 || s.pins > 0 || s.pumping {
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
