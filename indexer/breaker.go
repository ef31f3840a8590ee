package indexer

import (
	"errors"
	"sync"
	"time"

	"fechatter/chat"
)

const (
	// After breakerFailures failures in a row the engine is not asked for
	// breakerPause. Then a single search tries it for the others.
	breakerFailures = 3
	breakerPause    = 2 * time.Second
)

var errBreaker = errors.New("the search engine has failed several times in a row")

// breaker keeps searches from waiting for an engine that does not answer. Its
// methods may be called concurrently.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

// open returns for how long the engine must not be asked.
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

// saw records the outcome of a search.
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
	e := chat.Wrap(chat.Unavailable, err, "search is temporarily unavailable")
	e.RetryAfter = wait
	return e
}
