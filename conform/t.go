package conform

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"

	"fechatter/conform/client"
)

// pace is how to ask a server, and how fast it must be.
type pace struct {
	http     *http.Client
	patience time.Duration // for what must come
	slack    time.Duration // on top of the contract's limits
}

// T is one check under way, for the check and its clients. Errorf may be called by
// any goroutine until the check's clean-up has run; Fatalf and Skipf end the
// goroutine that calls them.
type T struct {
	ctx  context.Context //nolint:containedctx // Context returns it to clients
	pace pace

	mu       sync.Mutex
	failures []string
	skipped  string
	cleanups []func()
}

var _ client.T = (*T)(nil)

// Helper is part of client.T: failures here carry no lines of code.
func (*T) Helper() {}

// Context ends with the check's time.
func (t *T) Context() context.Context { return t.ctx }

// Patience is how long a client waits for what must come.
func (t *T) Patience() time.Duration { return t.pace.patience }

// HTTP is what a client makes requests with.
func (t *T) HTTP() *http.Client { return t.pace.http }

// Errorf notes a failure.
func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

// Fatalf notes a failure and ends the check.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Skipf ends the check as one that this server does not allow.
func (t *T) Skipf(format string, args ...any) {
	t.mu.Lock()
	t.skipped = fmt.Sprintf(format, args...)
	t.mu.Unlock()
	runtime.Goexit()
}

// Cleanup runs f when the check has ended, the last one first.
func (t *T) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// attempt runs fn as a check with a time limit, and returns what came of it.
func attempt(ctx context.Context, limit time.Duration, p pace, fn func(*T)) *T {
	ctx, cancel := context.WithTimeout(ctx, limit)
	t := &T{ctx: ctx, pace: p}
	t.contain(func() { fn(t) })
	cancel()
	for len(t.cleanups) > 0 {
		last := t.cleanups[len(t.cleanups)-1]
		t.cleanups = t.cleanups[:len(t.cleanups)-1]
		t.contain(last)
	}
	return t
}

// contain runs fn in a goroutine of its own, since Fatalf ends its goroutine.
func (t *T) contain(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("not what the contract says: %v", v)
			}
		}()
		fn()
	}()
	<-done
}

// together runs fn for 0 to n-1 concurrently and waits for all.
func (t *T) together(n int, fn func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { t.contain(func() { fn(i) }) })
	}
	all.Wait()
}
