package indexer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

// rebuildPage is how many messages are read and indexed at a time: Meilisearch
// takes a second or two for a batch, however small.
const rebuildPage = 5000

// rebuildIfEmpty makes an index that holds nothing although there are messages.
func (x *Indexer) rebuildIfEmpty(ctx context.Context) error {
	n, err := x.index.Count(ctx)
	if err != nil || n > 0 {
		return err
	}
	any, err := x.store.HasMessages(ctx)
	if err != nil || !any {
		return err
	}
	x.log.Info("the search index is empty and is made from the database")
	return x.rebuild(ctx, func(int64, int64) {})
}

// rebuild makes the index anew beside the one in use and puts it in its place.
// What changes meanwhile goes into both: a change is in the outbox until both
// have it, and it is read after the page that may have missed it.
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
	if err := r.Swap(ctx); err != nil {
		return fmt.Errorf("swap index: %w", err)
	}
	x.log.Info("the search index was made anew", "messages", done, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// drop gives up a rebuild; what is left of it goes with the next one.
func (x *Indexer) drop(ctx context.Context, r Rebuild) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := r.Drop(ctx); err != nil {
		x.log.Debug("a rebuild is not dropped", "error", err)
	}
}

// applyPage indexes messages that are not in the outbox. What the engine refuses
// is queued as such, so that somebody sees it.
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
