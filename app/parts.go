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

// stopLimit is how long all parts together may take to stop. A part that takes the
// rest of it is left behind, and those after it are told to stop and hardly waited for:
// whoever runs the node would kill it soon. The HTTP part has the drain in it, 23 s
// at most.
const (
	stopLimit = 25 * time.Second
	// lastLook is what a part gets that is told to stop after that.
	lastLook = 50 * time.Millisecond
)

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
	deadline := time.Now().Add(stopLimit)
	for _, r := range slices.Backward(running) {
		first = errors.Join(first, r.stop(log, deadline))
	}
	log.Info("stopped", "took", (stopLimit - time.Until(deadline)).Round(time.Millisecond))
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

func (r *runningPart) stop(log *slog.Logger, deadline time.Time) error {
	started := time.Now()
	r.cancel()
	// After the deadline, too, a part that only has to look at its context may do so.
	late := time.NewTimer(max(time.Until(deadline), lastLook))
	defer late.Stop()
	select {
	case <-r.done:
	case <-late.C:
		return fmt.Errorf("%s: not stopped within the %s that a stop may take", r.name, stopLimit)
	}
	log.Debug("stopped", "part", r.name, "took", time.Since(started))
	if r.err != nil && !errors.Is(r.err, context.Canceled) {
		return fmt.Errorf("%s: %w", r.name, r.err)
	}
	return nil
}
