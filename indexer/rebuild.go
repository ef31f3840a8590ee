package indexer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

// rebuildPage is how many messages are read and indexed at a time. It is large
// because Meilisearch takes a second or two for a batch of any size.
const rebuildPage = 5000

// rebuildIfEmpty rebuilds an index that is empty although there are messages.
func (x *Indexer) rebuildIfEmpty(ctx context.Context) error {
	n, err := x.index.Count(ctx)
	if err != nil || n > 0 {
		return err
	}
	any, err := x.store.HasMessages(ctx)
	if err != nil || !any {
		return err
	}
	x.log.Info("the search index is empty and is being rebuilt from the database")
	return x.rebuild(ctx, func(int64, int64) {})
}

// rebuild builds a new index beside the one in use and swaps them. Changes in the
// meantime go into both: a change stays in the outbox until both have it, and is
// read after the page that may have missed it.
func (x *Indexer) rebuild(ctx context.Context, tell func(done, total int64)) (err error) {
	if err := x.store.RetryRefused(ctx); err != nil {
		return err
	}
	total, err := x.store.CountMessages(ctx)
	if err != nil {
		return err
	}
	r, err := x.index.Rebuild(ctx)
	if err != nil {
		return fmt.Errorf("begin rebuild: %w", err)
	}
	defer func() {
		if err != nil {
			x.drop(ctx, r)
		}
	}()
	began, done := time.Now(), int64(0)
	for after := ""; ; {
		page, next, err := x.store.IndexPage(ctx, after, rebuildPage)
		if err != nil {
			return err
		}
		if err := x.applyPage(ctx, r, page); err != nil {
			return err
		}
		done += int64(len(page))
		tell(done, total)
		for n := x.cfg.MaxBatch; n == x.cfg.MaxBatch; {
			if n, err = x.flush(ctx, r); err != nil {
				return err
			}
		}
		if after = next; after == "" {
			break
		}
	}
	if _, ok := x.index.(positioned); ok {
		if err := r.Apply(ctx, Batch{Position: x.position}); err != nil {
			return fmt.Errorf("note position: %w", err)
		}
	}
	if err := r.Swap(ctx); err != nil {
		return fmt.Errorf("swap index: %w", err)
	}
	x.log.Info("the search index has been rebuilt", "messages", done, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// drop abandons a rebuild; the next one removes what is left of it.
func (x *Indexer) drop(ctx context.Context, r Rebuild) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := r.Drop(ctx); err != nil {
		x.log.Debug("cannot drop a rebuild", "error", err)
	}
}

// applyPage indexes messages that are not in the outbox. What the engine refuses is
// added to the outbox as refused, so that it is visible.
func (x *Indexer) applyPage(ctx context.Context, r Rebuild, page []chat.Message) error {
	if len(page) == 0 {
		return nil
	}
	entries, ids := make([]chat.IndexEntry, len(page)), make([]string, len(page))
	for i := range page {
		entries[i], ids[i] = chat.IndexEntry{MessageID: page[i].ID, Version: page[i].Version, Message: &page[i]}, page[i].ID
	}
	err := r.Apply(ctx, batchOf(entries))
	if _, refused := errors.AsType[*RefusedError](err); !refused {
		return err
	}
	if _, err := x.store.QueueIndex(ctx, ids); err != nil {
		return err
	}
	_, err = x.apply(ctx, r, entries)
	return err
}
