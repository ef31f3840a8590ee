package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"fechatter/chat"
)

// Indexer is a node's part in keeping the index: it does the work while it holds
// the lease, and waits for it otherwise. Its methods may be called concurrently.
// Whoever made it runs it, once, and closes the engine afterwards.
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
	looked  time.Time // at index and job; for the goroutine of Run
}

// New makes the indexer of a node.
func New(cfg Config, engine *Engine, store Store, log *slog.Logger) *Indexer {
	cfg = cfg.withDefaults()
	return &Indexer{cfg: cfg, lease: chat.Lease{Name: leaseName, Holder: cfg.Node}, engine: engine, store: store, log: log, wake: newWake()}
}

// Wake says that so many changes were stored by this node. It never blocks.
func (x *Indexer) Wake(changes int) { x.wake.add(changes) }

// Run takes the lease whenever it is free and indexes while it is held, until ctx
// ends. What is under way then is given up: it is still in the outbox.
func (x *Indexer) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		held, err := x.store.TakeLease(ctx, x.lease, x.cfg.LeaseTTL)
		if err != nil && ctx.Err() == nil {
			x.log.Debug("the lease of the index cannot be taken", "error", err)
		}
		if held {
			x.lead(ctx)
			continue
		}
		pause(ctx, x.cfg.LeaseTTL/3)
	}
	return nil
}

// lead indexes for as long as the lease is held. One goroutine renews it, so that
// an engine that takes its time does not cost it.
func (x *Indexer) lead(ctx context.Context) {
	x.stats.leading.Store(true)
	defer x.stats.leading.Store(false)
	ctx, lost := context.WithCancel(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() {
		defer lost()
		x.renew(ctx)
	})
	x.log.Info("this node keeps the search index")
	x.work(ctx)
	if err := x.engine.leave(); err != nil {
		x.log.Warn("the search index is not closed in order", "error", err)
	}
	lost()
	renewal.Wait()
	x.leave(ctx)
}

// renew keeps the lease until ctx ends or it is lost. A database that does not
// answer costs the lease only when it has run out.
func (x *Indexer) renew(ctx context.Context) {
	valid := time.Now().Add(x.cfg.LeaseTTL)
	for pause(ctx, x.cfg.LeaseTTL/3) {
		asked := time.Now()
		held, err := x.store.TakeLease(ctx, x.lease, x.cfg.LeaseTTL)
		switch {
		case err == nil && held:
			valid = asked.Add(x.cfg.LeaseTTL)
		case err == nil || asked.After(valid):
			if ctx.Err() == nil {
				x.log.Warn("the lease of the search index is lost", "error", err)
			}
			return
		}
	}
}

// leave lets the next node begin at once.
func (x *Indexer) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := x.store.LeaveLease(ctx, x.lease); err != nil {
		x.log.Debug("the lease of the index is not given back", "error", err)
	}
}

// work does what there is to do, and after a failure looks at the index anew
// before it goes on: it may have been emptied.
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
		x.log.Warn("the search index cannot be kept, it is tried again", "in", wait, "error", err)
		pause(ctx, wait/2+rand.N(wait/2))
		wait = min(2*wait, longestPause)
	}
}

var errLeaseLost = errors.New("the lease is held by another node")

// session prepares the index and indexes until something fails. done says that
// anything was achieved.
func (x *Indexer) session(ctx context.Context) (done bool, err error) {
	if x.index, err = x.engine.take(); err != nil {
		return false, err
	}
	if err := x.index.Prepare(ctx); err != nil {
		return false, fmt.Errorf("prepare index: %w", err)
	}
	if err := x.rebuildIfEmpty(ctx); err != nil {
		return false, err
	}
	compared := &comparison{}
	for {
		n, err := x.flush(ctx, nil)
		if err != nil {
			return done, err
		}
		if err := x.look(ctx); err != nil { // after what waits: a rebuild that fails does not keep it waiting
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

// look notices, once in a while, what no change tells of: that the index was lost,
// and that a rebuild is wanted.
func (x *Indexer) look(ctx context.Context) error {
	if time.Since(x.looked) < x.cfg.LeaseTTL/6 {
		return nil
	}
	x.looked = time.Now()
	if _, err := x.index.Count(ctx); err != nil {
		return fmt.Errorf("look at index: %w", err)
	}
	return x.runJob(ctx)
}

// pause waits, and reports whether ctx is still going.
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
