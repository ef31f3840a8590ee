package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fechatter/chat"
)

// target is an index or a rebuild.
type target interface {
	Apply(ctx context.Context, b Batch) error
}

// noting adds a position to what the index gets.
type noting struct {
	index    Index
	position string
}

func (n noting) Apply(ctx context.Context, b Batch) error {
	b.Position = n.position
	return n.index.Apply(ctx, b)
}

// flush moves one batch from the outbox into the index, and into a rebuild beside it
// unless that is nil. It returns the number of changes.
func (x *Indexer) flush(ctx context.Context, beside Rebuild) (int, error) {
	read := time.Now()
	entries, held, err := x.store.PendingIndex(ctx, x.lease, x.cfg.MaxBatch)
	if err != nil {
		return 0, err
	}
	// If this process stood still since the read, it may have lost the lease.
	if !held || time.Since(read) > x.cfg.LeaseTTL/2 {
		return 0, errLeaseLost
	}
	if len(entries) == 0 {
		return 0, nil
	}
	if beside != nil {
		if _, err := x.apply(ctx, beside, entries); err != nil {
			return 0, err
		}
	}
	var into target = x.index
	if x.whole.Load() {
		into = noting{x.index, x.position}
	}
	indexed, err := x.apply(ctx, into, entries)
	if err != nil {
		return 0, err
	}
	x.stats.batches.Add(1)
	x.stats.documents.Add(int64(len(indexed)))
	position, held, err := x.store.IndexDone(ctx, x.lease, indexed)
	if err != nil {
		return len(entries), err
	}
	if !held {
		return len(entries), errLeaseLost
	}
	x.moveTo(position)
	if x.cfg.Indexed != nil {
		x.cfg.Indexed(indexed, read)
	}
	return len(entries), nil
}

// apply gives entries to the engine and returns those that it accepted. It bisects a
// batch that the engine refuses and parks the entries at fault.
func (x *Indexer) apply(ctx context.Context, to target, entries []chat.IndexEntry) (accepted []chat.IndexEntry, err error) {
	err = to.Apply(ctx, batchOf(entries))
	refusal, refused := errors.AsType[*RefusedError](err)
	switch {
	case err == nil:
		return entries, nil
	case !refused:
		return nil, fmt.Errorf("index messages: %w", err)
	case len(entries) > 1:
		half := len(entries) / 2
		first, err := x.apply(ctx, to, entries[:half])
		if err != nil {
			return nil, err
		}
		second, err := x.apply(ctx, to, entries[half:])
		return slices.Concat(first, second), err
	}
	e := entries[0]
	x.stats.refused.Add(1)
	x.log.Error("the search engine refuses a message, which cannot be found", "message", e.MessageID, "version", e.Version, "reason", refusal.Reason)
	return nil, x.store.IndexRefused(ctx, e, refusal.Reason)
}
