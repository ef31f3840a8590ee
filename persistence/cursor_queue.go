package persistence

import (
	"sync"
	"time"

	"fechatter/chat"
)

// cursorMove is everything that waits to move one member's cursor. Cursors only
// move forward, so that all requests together are one move to the furthest.
type cursorMove struct {
	userID, chatID string
	change         chat.CursorChange
	waiting        []chan cursorOutcome
	skips          int // how often somebody else held the row
}

type cursorOutcome struct {
	moved chat.CursorMoved
	err   error
}

// merge adds a change to the move.
func (m *cursorMove) merge(ch chat.CursorChange) {
	m.change.ReadSeq = furthest(m.change.ReadSeq, ch.ReadSeq)
	m.change.DeliveredSeq = furthest(m.change.DeliveredSeq, ch.DeliveredSeq)
}

func furthest(a, b *int64) *int64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

func (m *cursorMove) answer(o cursorOutcome) {
	for _, done := range m.waiting {
		done <- o
	}
}

// cursorQueue holds the moves that are not in a commit yet, in the order in which
// they began.
type cursorQueue struct {
	wake chan struct{} // holds a token when there may be something to pop

	mu     sync.Mutex
	moves  map[[2]string]*cursorMove
	order  []*cursorMove
	limit  int
	closed bool
}

func newCursorQueue(limit int) *cursorQueue {
	return &cursorQueue{wake: make(chan struct{}, 1), moves: map[[2]string]*cursorMove{}, limit: limit}
}

// push adds a move and returns the channel of its outcome.
func (q *cursorQueue) push(userID, chatID string, ch chat.CursorChange) (<-chan cursorOutcome, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, unavailable(nil, "this node is stopping")
	}
	key := [2]string{userID, chatID}
	m := q.moves[key]
	if m == nil {
		if len(q.order) >= q.limit {
			e := chat.Errorf(chat.Overloaded, "too many cursors are waiting to be stored")
			e.RetryAfter = time.Second
			return nil, e
		}
		m = &cursorMove{userID: userID, chatID: chatID}
		q.moves[key] = m
		q.order = append(q.order, m)
	}
	done := make(chan cursorOutcome, 1)
	m.merge(ch)
	m.waiting = append(m.waiting, done)
	q.poke()
	return done, nil
}

// putBack returns moves to the queue whose rows others held, and merges them with
// what has come for the same members meanwhile.
func (q *cursorQueue) putBack(moves []*cursorMove) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range moves {
		key := [2]string{m.userID, m.chatID}
		if newer := q.moves[key]; newer != nil {
			newer.merge(m.change)
			newer.waiting = append(newer.waiting, m.waiting...)
			newer.skips = m.skips
			continue
		}
		q.moves[key] = m
		q.order = append(q.order, m)
	}
	if len(moves) > 0 {
		q.poke()
	}
}

func (q *cursorQueue) pop(limit int) []*cursorMove {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(limit, len(q.order))
	taken := q.order[:n:n]
	for _, m := range taken {
		delete(q.moves, [2]string{m.userID, m.chatID})
	}
	if q.order = q.order[n:]; len(q.order) == 0 {
		q.order = nil
	}
	return taken
}

// close makes the queue refuse new moves.
func (q *cursorQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *cursorQueue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
