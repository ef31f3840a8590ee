package persistence

import (
	"runtime"
	"sync"
	"time"

	"fechatter/chat"
)

// pending is a send that waits for its commit.
type pending struct {
	send  chat.Send
	names []string // that its body may mention
	done  chan outcome
	event *chat.Event // made by an attempt whose commit is in doubt
}

type outcome struct {
	sent chat.Sent
	err  error
}

func newPending(m chat.Send) *pending {
	return &pending{send: m, names: chat.MentionNames(m.Body), done: make(chan outcome, 1)}
}

func (p *pending) answer(sent chat.Sent, err error) { p.done <- outcome{sent, err} }

// queue is the sends that no commit has taken yet, in the order of arrival.
type queue struct {
	wake chan struct{} // holds a token when there may be something to take

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
		e := chat.Errorf(chat.Overloaded, "too many messages wait to be stored")
		e.RetryAfter = time.Second
		return e
	}
	q.items = append(q.items, p)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

func (q *queue) take(limit int) []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(limit, len(q.items))
	taken := q.items[:n:n]
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
	return taken
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// settle lets those run who are ready to send, for as long as more comes: whoever
// was answered by the group before may join the next one. It does not wait.
func (q *queue) settle() {
	for before := -1; before != q.length(); runtime.Gosched() {
		before = q.length()
	}
}

// close refuses what comes from now on.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
