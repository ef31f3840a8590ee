package indexer

import (
	"errors"
	"sync"
	"time"

	"fechatter/chat"
)

const (
	// breakerFailures in a row are reason not to ask for breakerPause. Then one
	// search finds out for the others.
	breakerFailures = 3
	breakerPause    = 2 * time.Second
)

var errBreaker = errors.New("the engine has failed several times in a row")

// breaker keeps searches from waiting for an engine that does not answer.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

// open answers for how long the engine is not to be asked.
func (b *breaker) open() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakerFailures {
		return 0
	}
	wait := time.Until(b.until)
	if wait <= 0 {
		b.until = time.Now().Add(breakerPause) // this caller tries it
		return 0
	}
	return wait
}

// saw takes the outcome of a search.
func (b *breaker) saw(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.failures = 0
		return
	}
	b.failures++
	b.until = time.Now().Add(breakerPause)
}

func unavailable(err error, wait time.Duration) error {
	e := chat.Wrap(chat.Unavailable, err, "search is out of reach for a moment")
	e.RetryAfter = wait
	return e
}
