package presence

import (
	"context"
	"sync"
	"time"
)

const (
	breakAfter = 3 // failures in a row
	probeEvery = time.Second
)

// breaker stands in for a service that does not answer: after a few failures in
// a row it lets one call a second through, to see whether the service is back,
// and refuses the others at once, so that nobody waits for the same silence twice.
type breaker struct {
	mu       sync.Mutex
	failures int
	probe    time.Time // while open: when the next call is let through
}

// call runs f, or returns ErrUnavailable. A caller that gave up proves nothing
// about the service.
func (b *breaker) call(ctx context.Context, f func() error) error {
	if !b.allow() {
		return ErrUnavailable
	}
	err := f()
	if err == nil || ctx.Err() == nil {
		b.report(err == nil)
	}
	return err
}

func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return true
	}
	if time.Now().Before(b.probe) {
		return false
	}
	b.probe = time.Now().Add(probeEvery)
	return true
}

func (b *breaker) report(ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failures = 0
		return
	}
	b.failures++
	b.probe = time.Now().Add(probeEvery)
}
