package server

import (
	"maps"
	"sync"
	"time"

	"fechatter/chat"
)

// limiter is a token bucket per key. It remembers of each only when its bucket
// will be full again (the generic cell rate algorithm), which lets a taken token
// be put back, as x/time/rate does not. Full buckets are forgotten. It is safe
// for concurrent use; a nil limiter has no limit.
type limiter struct {
	interval time.Duration // between two tokens
	window   time.Duration // in which an empty bucket fills

	mu    sync.Mutex
	full  map[string]time.Time // when the key's bucket is full
	swept time.Time
}

// maxBuckets bounds what is remembered. Beyond it any bucket is forgotten: who
// commands that many addresses is not held by a limit per address.
const maxBuckets = 1 << 17

// longest keeps the window of a burst that means no limit within what a Duration holds.
const longest = 100 * 365 * 24 * time.Hour

// newLimiter gives n tokens in each period, at most burst at once; n = 0: no limit.
func newLimiter(n int, period time.Duration, burst int) *limiter {
	if n <= 0 {
		return nil
	}
	interval := max(1, period/time.Duration(n))
	atOnce := min(time.Duration(max(1, burst)), longest/interval)
	return &limiter{interval: interval, window: interval * atOnce, full: map[string]time.Time{}}
}

// take takes a token of key, or says when there will be one.
func (l *limiter) take(key string) (ok bool, retryAfter time.Duration) {
	if l == nil {
		return true, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sweep(now)
	full := l.full[key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(l.interval)
	if wait := full.Sub(now) - l.window; wait > 0 {
		return false, wait
	}
	l.full[key] = full
	return true, 0
}

// refund puts a token back that take gave.
func (l *limiter) refund(key string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.full[key]; ok {
		l.full[key] = full.Add(-l.interval)
	}
}

// sweep forgets the buckets that are full, once per window, and one of the rest
// when there are too many.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) >= l.window {
		l.swept = now
		maps.DeleteFunc(l.full, func(_ string, full time.Time) bool { return !full.After(now) })
	}
	if len(l.full) < maxBuckets {
		return
	}
	for key := range l.full {
		delete(l.full, key)
		return
	}
}

// charge takes a token or gives the rate_limited error that says when to retry.
func (l *limiter) charge(key string) error {
	ok, wait := l.take(key)
	if ok {
		return nil
	}
	return rateLimited(wait)
}

func rateLimited(wait time.Duration) error {
	e := chat.Errorf(chat.RateLimited, "this is too much at once")
	e.RetryAfter = wait
	return e
}
