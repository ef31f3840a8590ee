package persistence

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"fechatter/chat"
)

// pending is a send waiting for its commit.
type pending struct {
	send  chat.Send
	names []string // that the body may mention
	done  func(chat.Sent, error)
	event *chat.Event // from an earlier attempt
	doubt bool        // whether an attempt may have been committed
}

type outcome struct {
	sent chat.Sent
	err  error
}

func newPending(m chat.Send, done func(chat.Sent, error)) *pending {
	return &pending{send: m, names: chat.MentionNames(m.Body), done: done}
}

// queue holds the sends that are not in a group yet, in the order of arrival.
type queue struct {
	wake chan struct{} // holds a token when there may be something to pop

	mu     sync.Mutex
	items  []*pending
	limit  int
	closed bool
}

func newQueue(limit int) *queue { return &queue{wake: make(chan struct{}, 1), limit: limit} }

func (q *queue) push(p *pending) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return unavailable(nil, "this node is stopping")
	case len(q.items) >= q.limit:
		return overloaded()
	}
	q.items = append(q.items, p)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

func (q *queue) pop(limit int) []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(limit, len(q.items))
	taken := q.items[:n:n]
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
	return taken
}

// take removes the sends that are wanted.
func (q *queue) take(wanted func(*pending) bool) (taken []*pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = slices.DeleteFunc(q.items, func(p *pending) bool {
		is := wanted(p)
		if is {
			taken = append(taken, p)
		}
		return is
	})
	return taken
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// gather lets goroutines run that are ready to send, for as long as more sends
// come: senders whom the previous group answered may join the next one. It does
// not wait.
func (q *queue) gather() {
	for before := -1; before != q.length(); runtime.Gosched() {
		before = q.length()
	}
}

func overloaded() *chat.Error {
	e := chat.Errorf(chat.Overloaded, "too many messages are waiting to be stored")
	e.RetryAfter = time.Second
	return e
}

// close makes the queue refuse new sends.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
