package indexer

import (
	"context"
	"sync/atomic"
	"time"
)

// wake gathers announced changes into batches.
type wake struct {
	pending *atomic.Int64
	news    chan struct{} // has a value when there is news
}

func newWake() wake { return wake{pending: new(atomic.Int64), news: make(chan struct{}, 1)} }

func (w wake) add(changes int) {
	if changes <= 0 {
		return
	}
	w.pending.Add(int64(changes))
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// gather waits until there is reason to read the outbox: a batch is full, is old
// enough or has gone quiet, or it is time to look for other nodes' changes. It
// reports whether ctx is still alive.
func (w wake) gather(ctx context.Context, cfg Config) bool {
	poll := time.NewTimer(cfg.PollEvery)
	defer poll.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-poll.C:
		return true
	case <-w.news:
	}
	old, quiet := time.NewTimer(cfg.BatchTimeout), time.NewTimer(cfg.Quiet)
	defer old.Stop()
	defer quiet.Stop()
	for w.pending.Load() < int64(cfg.BatchSize) {
		select {
		case <-ctx.Done():
			return false
		case <-w.news:
			quiet.Reset(cfg.Quiet)
			continue
		case <-quiet.C:
		case <-old.C:
		}
		break
	}
	w.pending.Store(0)
	return true
}
