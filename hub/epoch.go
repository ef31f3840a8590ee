package hub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// epoch is the history that the database was last seen to hold. A position of another history says nothing, even where
// the numbers would fit: the new history may have grown past them.
type epoch struct {
	mu   sync.Mutex
	name string // empty: not seen yet
}

// errRewound says that the database began another history while an Attach was under way.
var errRewound = errors.New("the database has begun another history")

// learn takes in the epoch of a read. If it is another one, everything is dropped and everybody reset.
func (h *Hub) learn(now string) {
	h.epoch.mu.Lock()
	defer h.epoch.mu.Unlock()
	was := h.epoch.name
	h.epoch.name = now
	if was == "" || was == now || !epochsCount {
		return
	}
	h.log.Warn("the database has begun another history", "was", was, "is", now)
	h.streams.each(func(s *stream) { s.rewind() })
}

// knows reports whether a position read in an epoch belongs to the hub's history. The first one founds it: should it be
// older than the database's, the position check finds out.
func (h *Hub) knows(read string) bool {
	h.epoch.mu.Lock()
	defer h.epoch.mu.Unlock()
	if h.epoch.name == "" {
		h.epoch.name = read
	}
	return read == "" || read == h.epoch.name || !epochsCount
}

// rewind drops everything: the database has begun another history.
func (s *stream) rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset(ReasonEpoch, time.Now())
}

// sameHistory reports whether the position was read in the database's present history, and notes the stream's era as of
// then: what rewinds the stream later ends the Attach. Either side may be the one that is behind.
func (a *attach) sameHistory(ctx context.Context) (bool, error) {
	for {
		a.era = a.s.currentEra()
		if a.hub.knows(a.Epoch) {
			return true, nil
		}
		now, err := a.hub.readEpoch(ctx, a.Stream)
		if err != nil {
			return false, err
		}
		a.hub.learn(now)
		if now != a.Epoch {
			return false, nil
		}
	}
}

func (h *Hub) readEpoch(ctx context.Context, stream string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.SourceTimeout)
	defer cancel()
	now, _, err := h.src.Positions(ctx, []string{stream})
	if err != nil {
		return "", fmt.Errorf("read epoch: %w", err)
	}
	return now, nil
}
