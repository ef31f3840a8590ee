package server

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"fechatter/chat"
)

// rate is a token each interval, at most window/interval of them at once.
type rate struct{ interval, window time.Duration }

// longest keeps the window of a burst that means no limit within what a Duration holds.
const longest = 100 * 365 * 24 * time.Hour

func newRate(n int, period time.Duration, burst int) rate {
	interval := max(1, period/time.Duration(n))
	return rate{interval, interval * min(time.Duration(max(1, burst)), longest/interval)}
}

// draw takes n tokens from a bucket that is represented only by the time at which it
// will be full again (the generic cell rate algorithm). A positive wait is how long
// until they are due. More than a whole bucket is due when the bucket is full, and
// leaves it in debt.
func (r rate) draw(full, now time.Time, n int) (after time.Time, wait time.Duration) {
	if full.Before(now) {
		full = now
	}
	price := r.interval * time.Duration(n)
	return full.Add(price), full.Sub(now) + min(price, r.window) - r.window
}

// limiter is a bucket per key. It lets a token be put back, as x/time/rate does
// not, and forgets full buckets. It is safe for concurrent use; a nil limiter has
// no limit.
type limiter struct {
	rate
	name     string // for logs
	refusals atomic.Int64

	mu    sync.Mutex
	full  map[string]time.Time // when the key's bucket is full
	swept time.Time
}

// maxBuckets bounds what is remembered. Beyond it any bucket is forgotten: whoever
// commands that many addresses is not held by a limit per address.
const maxBuckets = 1 << 17

// newLimiter allows n in each period, at most burst at once; n = 0: no limit.
func newLimiter(n int, period time.Duration, burst int) *limiter {
	if n <= 0 {
		return nil
	}
	return &limiter{rate: newRate(n, period, burst), full: map[string]time.Time{}}
}

// named returns the limiter itself, whose errors say from here on which limit was hit.
func (l *limiter) named(name string) *limiter {
	if l != nil {
		l.name = name
	}
	return l
}

// charge takes a token of key, or returns the rate_limited error, with the time to
// wait before a retry.
func (l *limiter) charge(key string) error { return l.chargeMany(key, 1) }

// chargeMany takes n tokens of key at once, or none. More than a burst can be taken
// only from a full bucket, which is in debt afterwards.
func (l *limiter) chargeMany(key string, n int) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sweep(now)
	full, wait := l.draw(l.full[key], now, n)
	if wait > 0 {
		l.refusals.Add(1)
		return rateLimited(wait, l.name)
	}
	l.full[key] = full
	return nil
}

// refund puts back a token that charge took.
func (l *limiter) refund(key string) { l.refundMany(key, 1) }

// refundMany puts back tokens that chargeMany took.
func (l *limiter) refundMany(key string, n int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.full[key]; ok {
		l.full[key] = full.Add(-l.interval * time.Duration(n))
	}
}

// debit takes n tokens of key, whether they are there or not.
func (l *limiter) debit(key string, n int) {
	if l == nil || n <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sweep(now)
	l.full[key], _ = l.draw(l.full[key], now, n)
}

// owed returns the rate_limited error while debit has taken tokens of key that were not
// there.
func (l *limiter) owed(key string) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, wait := l.draw(l.full[key], time.Now(), 0); wait > 0 {
		l.refusals.Add(1)
		return rateLimited(wait, l.name)
	}
	return nil
}

// refused returns how often a charge was.
func (l *limiter) refused() int64 {
	if l == nil {
		return 0
	}
	return l.refusals.Load()
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

func rateLimited(wait time.Duration, limit string) error {
	return &chat.Error{Code: chat.RateLimited, Detail: "too many requests; slow down", RetryAfter: wait, Limit: limit}
}
