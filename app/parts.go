package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"
)

// part is something of a node that runs. run works until ctx ends, then stops in
// order and returns after its last goroutine.
type part struct {
	name string
	run  func(ctx context.Context) error
}

// stopLimit is how long one part may take to stop before the next is stopped
// all the same. The HTTP part has the drain in it.
const stopLimit = 25 * time.Second

// runParts starts the parts in order and runs them until ctx ends or one of them
// does. Then it stops them one by one in reverse, so that each may use those
// above it in the list until its own last line. The error is that of the first
// part that failed.
func runParts(ctx context.Context, log *slog.Logger, parts []part) error {
	ended := make(chan error, len(parts))
	var running []*runningPart
	for _, p := range parts {
		running = append(running, startPart(ctx, p, ended))
	}
	var first error
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case first = <-ended:
		log.Error("stopping: a part ended", "error", first)
	}
	for _, r := range slices.Backward(running) {
		first = errors.Join(first, r.stop(log))
	}
	return first
}

type runningPart struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // after done
}

// startPart gives the part a context that ends only when its turn to stop has
// come, not when the node's does.
func startPart(ctx context.Context, p part, ended chan<- error) *runningPart {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &runningPart{name: p.name, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = runContained(own, p)
		if own.Err() == nil {
			// Reported once, as the reason of the stop.
			ended <- endedEarly(p.name, r.err)
			r.err = nil
		}
	}()
	return r
}

func endedEarly(name string, err error) error {
	if err == nil {
		err = errors.New("ended by itself")
	}
	return fmt.Errorf("%s: %w", name, err)
}

// runContained turns a panic of a part into its error: the others still stop in
// order.
func runContained(ctx context.Context, p part) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return p.run(ctx)
}

func (r *runningPart) stop(log *slog.Logger) error {
	started := time.Now()
	r.cancel()
	late := time.NewTimer(stopLimit)
	defer late.Stop()
	select {
	case <-r.done:
	case <-late.C:
		return fmt.Errorf("%s: not stopped within %s", r.name, stopLimit)
	}
	log.Debug("stopped", "part", r.name, "took", time.Since(started))
	if r.err != nil && !errors.Is(r.err, context.Canceled) {
		return fmt.Errorf("%s: %w", r.name, r.err)
	}
	return nil
}
