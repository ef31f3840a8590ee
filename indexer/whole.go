package indexer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrCatchingUp means that an index lacks messages that were indexed elsewhere. Finding
// nothing in it would be misleading.
var ErrCatchingUp = errors.New("the search index is not whole yet")

// positioned is an index of which each node may have a copy of its own. It keeps, with what
// it holds, the position in the log of indexing up to which nothing is missing.
type positioned interface {
	// Position returns the last Batch.Position that was applied, "" if there was none.
	Position(ctx context.Context) (string, error)
}

// tenure is for how long this node certainly keeps the index, by its own monotonic clock:
// never longer than its lease lasts by that of the database.
type tenure struct{ until atomic.Pointer[time.Time] }

func (t *tenure) set(until time.Time) { t.until.Store(&until) }

func (t *tenure) end() { t.until.Store(nil) }

func (t *tenure) lasts() bool {
	until := t.until.Load()
	return until != nil && time.Now().Before(*until)
}

// ready fails while searching the index of this node would miss messages: another node may
// have indexed some since the lease expired, or before it was acquired.
func (x *Indexer) ready() error {
	switch {
	case x.engine.shared():
		return nil
	case x.engine.peers != nil && !x.tenure.lasts():
		return errElsewhere
	case !x.whole.Load():
		return ErrCatchingUp
	}
	return nil
}

// progress is how many messages of the log the index of this node has.
type progress struct {
	mu    sync.Mutex
	at    int64
	moved chan struct{} // closed at the next move; nil: nobody waits
}

func (p *progress) set(at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = at
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// reach waits until the index has so many, and reports whether that was before ctx ended.
func (p *progress) reach(ctx context.Context, at int64) bool {
	for {
		p.mu.Lock()
		if p.at >= at {
			p.mu.Unlock()
			return true
		}
		if p.moved == nil {
			p.moved = make(chan struct{})
		}
		moved := p.moved
		p.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

func (x *Indexer) moveTo(position string) {
	x.position = position
	number, _, _ := strings.Cut(position, "/")
	at, _ := strconv.ParseInt(number, 10, 64) // one that the log does not know counts as its beginning
	x.progress.set(at)
}

// notingTime is how long a search waits for a batch to be noted that the database has.
const notingTime = time.Second

// reached fails if the index lacks some of what had been indexed when the caller read what
// had not. That holds whatever clocks do: a lease may have passed to another node although
// by the clock of this one it lasts.
func (x *Indexer) reached(ctx context.Context, indexed int64) error {
	if x.engine.shared() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, notingTime)
	defer cancel()
	if !x.progress.reach(ctx, indexed) {
		return ErrCatchingUp
	}
	return nil
}

// complete makes the index whole: from its position on if the log still knows that, or else
// from the beginning.
func (x *Indexer) complete(ctx context.Context) error {
	index, ok := x.index.(positioned)
	if !ok {
		return x.rebuildIfEmpty(ctx)
	}
	position, err := index.Position(ctx)
	if err != nil {
		return fmt.Errorf("read position of index: %w", err)
	}
	known, err := x.catchUp(ctx, position)
	if err == nil && !known {
		err = x.startOver(ctx)
	}
	x.whole.Store(err == nil)
	return err
}

// catchUp indexes what was indexed elsewhere since a position, up to the end of the log.
// Nobody else appends to it while this node holds the lease.
func (x *Indexer) catchUp(ctx context.Context, position string) (known bool, err error) {
	began, missing := time.Now(), 0
	for x.moveTo(position); ; {
		entries, next, known, err := x.store.IndexedSince(ctx, x.position)
		if err != nil || !known {
			return false, err
		}
		if len(entries) == 0 {
			break
		}
		if _, err := x.apply(ctx, x.index, entries); err != nil {
			return false, err
		}
		missing += len(entries)
		x.moveTo(next)
	}
	if missing > 0 {
		x.log.Info("the search index has caught up", "messages", missing, "took", time.Since(began).Round(time.Millisecond))
	}
	if x.position == position {
		return true, nil
	}
	return true, x.index.Apply(ctx, Batch{Position: x.position})
}

// startOver rebuilds the index of which nobody knows what it lacks. Until it is swapped, the
// old one gets no position, so that a crash begins anew.
func (x *Indexer) startOver(ctx context.Context) error {
	position, err := x.store.IndexPosition(ctx)
	if err != nil {
		return err
	}
	x.moveTo(position)
	some, err := x.store.HasMessages(ctx)
	if err != nil {
		return err
	}
	if !some {
		return x.index.Apply(ctx, Batch{Position: x.position})
	}
	x.log.Info("the search index is being rebuilt from the database")
	return x.rebuild(ctx, func(int64, int64) {})
}

// note stores the position after the last batch, which otherwise only the next one would.
func (x *Indexer) note(ctx context.Context) {
	if !x.whole.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := x.index.Apply(ctx, Batch{Position: x.position}); err != nil {
		x.log.Debug("cannot note the position of the search index", "error", err)
	}
}
