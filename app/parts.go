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

// part is a running part of a node. run works until ctx ends, then stops in order and
// returns after its last goroutine.
type part struct {
	name string
	run  func(ctx context.Context) error
}

// every calls do at once, and again each interval, until ctx ends, which is not an error.
func every(ctx context.Context, interval time.Duration, do func()) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// stopLimit is how long all parts together may take to stop. A part that uses it up is
// left behind, and those after it are told to stop but hardly waited for: whoever runs
// the node would kill it soon. The HTTP part includes the drain, at most 23 s.
const (
	stopLimit = 25 * time.Second
	// lastLook is how long a part has that is told to stop after that.
	lastLook = 50 * time.Millisecond
)

// runParts starts the parts in order and runs them until ctx or one of them ends. Then
// it stops them one by one in reverse, so that each may use those before it in the list
// to its very end. The error joins those of all parts, the first failure first.
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

// startPart runs the part with a context that ends when its turn to stop comes, not
// when the node's does.
func startPart(ctx context.Context, p part, ended chan<- error) *runningPart {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &runningPart{name: p.name, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = runContained(own, p)
		if own.Err() == nil {
			// Reported once, as the reason for the stop.
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

// runContained turns a panic of a part into an error, so that the others still stop in
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
	// Even after the deadline, a part may look at its context.
	late := time.NewTimer(max(time.Until(deadline), lastLook))
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
