package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"fechatter/chat"
)

// Indexer is a node's part in keeping the index: it does the work while it holds the
// lease, and otherwise waits for it. Its methods may be called concurrently. Its
// owner calls Run once and closes the engine afterwards.
type Indexer struct {
	cfg     Config
	lease   chat.Lease
	engine  *Engine
	index   Index // while this node leads; for the goroutine of Run
	store   Store
	log     *slog.Logger
	wake    wake
	breaker breaker
	stats   counters
	looked  time.Time // when look last looked; for the goroutine of Run

	tenure   tenure
	whole    atomic.Bool // the index has all that the log has
	position string      // how far into the log the index is; for the goroutine of Run
	progress progress    // the same, for searches
}

// New returns the indexer of a node. It does nothing until Run.
func New(cfg Config, engine *Engine, store Store, log *slog.Logger) *Indexer {
	cfg = cfg.withDefaults()
	return &Indexer{cfg: cfg, lease: chat.Lease{Name: leaseName, Holder: cfg.Node}, engine: engine, store: store, log: log, wake: newWake()}
}

// Wake tells the indexer that this node stored some changes. It never blocks.
func (x *Indexer) Wake(changes int) { x.wake.add(changes) }

// Run acquires the lease whenever it is free and indexes while it holds it, until
// ctx ends. It then abandons the batch in progress, which stays in the outbox.
func (x *Indexer) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		asked := time.Now()
		held, err := x.store.AcquireLease(ctx, x.lease, x.cfg.LeaseTTL)
		if err != nil && ctx.Err() == nil {
			x.log.Debug("cannot acquire the lease of the search index", "error", err)
		}
		if held {
			x.tenure.set(asked.Add(x.cfg.LeaseTTL))
			x.lead(ctx)
			x.tenure.end()
			continue
		}
		pause(ctx, x.cfg.LeaseTTL/3)
	}
	return nil
}

// lead indexes for as long as the lease is held. A separate goroutine renews it, so
// that a slow engine does not lose it.
func (x *Indexer) lead(ctx context.Context) {
	x.stats.leading.Store(true)
	defer x.stats.leading.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() {
		defer cancel()
		x.renew(ctx)
	})
	x.log.Info("this node keeps the search index")
	x.work(ctx)
	x.note(ctx)
	if err := x.engine.release(); err != nil {
		x.log.Warn("cannot close the search index cleanly", "error", err)
	}
	cancel()
	renewal.Wait()
	x.leave(ctx)
}

// renew keeps the lease until ctx ends or the lease is lost. If the database does
// not answer, the lease is lost only once it has expired.
func (x *Indexer) renew(ctx context.Context) {
	for pause(ctx, x.cfg.LeaseTTL/3) {
		asked := time.Now()
		held, err := x.store.AcquireLease(ctx, x.lease, x.cfg.LeaseTTL)
		switch {
		case err == nil && held:
			x.tenure.set(asked.Add(x.cfg.LeaseTTL))
		case err == nil || !x.tenure.lasts():
			x.tenure.end()
			if ctx.Err() == nil {
				x.log.Warn("lost the lease of the search index", "error", err)
			}
			return
		}
	}
}

// leave releases the lease, so that the next node can begin at once.
func (x *Indexer) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := x.store.ReleaseLease(ctx, x.lease); err != nil {
		x.log.Debug("cannot release the lease of the search index", "error", err)
	}
}

// work runs sessions until the lease is lost. After a failure the next session
// prepares the index again, because it may have been emptied.
func (x *Indexer) work(ctx context.Context) {
	wait := firstPause
	for ctx.Err() == nil {
		done, err := x.session(ctx)
		if ctx.Err() != nil || errors.Is(err, errLeaseLost) {
			return
		}
		if done {
			wait = firstPause
		}
		x.stats.failures.Add(1)
		x.log.Warn("cannot update the search index, will retry", "in", wait, "error", err)
		pause(ctx, wait/2+rand.N(wait/2))
		wait = min(2*wait, longestPause)
	}
}

var errLeaseLost = errors.New("the lease is held by another node")

// session prepares the index and indexes until something fails. done reports whether
// it achieved anything.
func (x *Indexer) session(ctx context.Context) (done bool, err error) {
	x.whole.Store(false)
	if x.index, err = x.engine.acquire(); err != nil {
		return false, err
	}
	if err := x.index.Prepare(ctx); err != nil {
		return false, fmt.Errorf("prepare index: %w", err)
	}
	if err := x.complete(ctx); err != nil {
		return false, err
	}
	compared := &comparison{}
	for {
		n, err := x.flush(ctx, nil)
		if err != nil {
			return done, err
		}
		if err := x.look(ctx); err != nil { // after the flush, so that a failing rebuild does not delay it
			return done, err
		}
		done = true
		if n < x.cfg.MaxBatch {
			if err := compared.proceed(ctx, x); err != nil {
				return done, err
			}
		}
		if n < x.cfg.MaxBatch && !x.wake.gather(ctx, x.cfg) {
			return done, ctx.Err()
		}
	}
}

// look notices, once in a while, what no change announces: a lost index and a
// requested rebuild.
func (x *Indexer) look(ctx context.Context) error {
	if time.Since(x.looked) < x.cfg.LeaseTTL/6 {
		return nil
	}
	x.looked = time.Now()
	if _, err := x.index.Count(ctx); err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	return x.runJob(ctx)
}

// pause waits for d and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Stats counts what the indexer of this node has done since New.
type Stats struct {
	Leading   bool // this node keeps the index
	Batches   int64
	Documents int64 // changes indexed
	Refused   int64 // changes that the engine refused
	Failures  int64 // failures of the engine or the database
}

type counters struct {
	leading                               atomic.Bool
	batches, documents, refused, failures atomic.Int64
}

// Stats returns the counters.
func (x *Indexer) Stats() Stats {
	c := &x.stats
	return Stats{Leading: c.leading.Load(), Batches: c.batches.Load(), Documents: c.documents.Load(),
		Refused: c.refused.Load(), Failures: c.failures.Load()}
}
