package hub

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"
)

// epoch is the history that the database was last seen to hold. A position of another history means
// nothing, even where the numbers would fit: the new history may have grown past them.
type epoch struct {
	mu   sync.Mutex
	name string        // empty: not seen yet
	tag  atomic.Uint64 // of name, for the bus
}

// set adopts a name. It is called under mu.
func (e *epoch) set(name string) {
	e.name = name
	if name == "" {
		return
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	e.tag.Store(h.Sum64())
}

// foreign reports whether an event was published in another history than the hub's: either the
// publisher or the hub has not noticed a restore or a failover, or the publisher still writes to a
// database that was given up. Its content must not be used; that the stream reached its seq is
// worth a look.
func (e *epoch) foreign(tag uint64) bool {
	own := e.tag.Load()
	return tag != 0 && own != 0 && tag != own
}

// noteForeign uses the only part of a foreign event that may be used: that there is something to
// read.
func (h *Hub) noteForeign(e Event) {
	h.stats.foreign.Add(1)
	if !e.Kind.Has(Passing) {
		h.Expect(e.Stream, e.Seq)
	}
	h.CheckNow()
}

// errRewound ends an Attach during which the database began another history.
var errRewound = errors.New("the database has begun another history")

// learn takes note of the epoch of a read. If it is a new one, everything is dropped and everybody
// reset.
func (h *Hub) learn(now string) {
	h.epoch.mu.Lock()
	defer h.epoch.mu.Unlock()
	was := h.epoch.name
	h.epoch.set(now)
	if was == "" || was == now {
		return
	}
	h.log.Warn("the database has begun another history", "was", was, "is", now)
	h.streams.each(func(s *stream) { s.rewind() })
}

// eraOf reports whether a position read in an epoch belongs to the hub's history, and returns the
// stream's era in it, both under the lock that a rewind of all streams holds. The first epoch
// founds the history: should it be older than the database's, the position check finds out.
func (h *Hub) eraOf(s *stream, read string) (era uint32, ok bool) {
	h.epoch.mu.Lock()
	defer h.epoch.mu.Unlock()
	if h.epoch.name == "" && read != "" {
		h.epoch.set(read)
	}
	return s.currentEra(), read == "" || read == h.epoch.name
}

// rewind drops everything: the database has begun another history.
func (s *stream) rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset(ReasonEpoch, time.Now())
}

// sameHistory reports whether the position was read in the database's present history, and notes
// the stream's era at that moment: what rewinds the stream later ends the Attach. Either side may
// be the one that is behind.
func (a *attach) sameHistory(ctx context.Context) (bool, error) {
	for {
		var same bool
		if a.era, same = a.hub.eraOf(a.s, a.Epoch); same {
			return true, nil
		}
		now, err := a.hub.readEpoch(ctx)
		if err != nil {
			return false, err
		}
		a.hub.learn(now)
		if now != a.Epoch {
			return false, nil
		}
	}
}
