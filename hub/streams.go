package hub

import (
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

// find returns a stream, or nil.
func (t *streams) find(id string) *stream {
	sh := t.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.m[id]
}

// pin returns a stream that stays until unpin. A missing one is made by create; if create is nil,
// pin returns nil.
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

// drop removes a stream if free, called under the locks of the shard and the stream, returns true.
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
