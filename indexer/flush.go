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

// flush takes one batch from the outbox into the index, and into what is being
// rebuilt beside it, and answers how many changes it was.
func (x *Indexer) flush(ctx context.Context, beside Rebuild) (int, error) {
	read := time.Now()
	entries, held, err := x.store.PendingIndex(ctx, x.lease, x.cfg.MaxBatch)
	if err != nil {
		return 0, err
	}
	if !held || distrustsOldReads && time.Since(read) > x.cfg.LeaseTTL/2 {
		return 0, errLeaseLost
	}
	if len(entries) == 0 {
		return 0, nil
	}
	if beside != nil && changesBeside {
		if _, err := x.apply(ctx, beside, entries); err != nil {
			return 0, err
		}
	}
	taken, err := x.apply(ctx, x.index, entries)
	if err != nil {
		return 0, err
	}
	x.stats.batches.Add(1)
	x.stats.documents.Add(int64(len(taken)))
	if err := x.store.IndexDone(ctx, taken); err != nil {
		return len(entries), err
	}
	if x.cfg.Indexed != nil {
		x.cfg.Indexed(taken, read)
	}
	return len(entries), nil
}

// apply gives entries to the engine and answers those that it took. Of a batch
// that it refuses it finds, by halves, what it will not take, and parks that.
func (x *Indexer) apply(ctx context.Context, to target, entries []chat.IndexEntry) (taken []chat.IndexEntry, err error) {
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
	x.log.Error("a message cannot be indexed and is found by nobody", "message", e.MessageID, "version", e.Version, "reason", refusal.Reason)
	return nil, x.store.IndexRefused(ctx, e, refusal.Reason)
}
