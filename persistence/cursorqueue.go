package persistence

import (
	"sync"
	"time"

	"fechatter/chat"
)

// cursorMove is all that waits to move one member's cursor: it only goes
// forward, so that what came meanwhile is one move to the furthest of them.
type cursorMove struct {
	userID, chatID string
	change         chat.CursorChange
	waiting        []chan cursorOutcome
	left           int // how often others held the row
}

type cursorOutcome struct {
	moved chat.CursorMoved
	err   error
}

// further merges a change into the move.
func (m *cursorMove) further(ch chat.CursorChange) {
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

// cursorQueue is the moves that no commit has taken yet, in the order in which
// each began.
type cursorQueue struct {
	wake chan struct{} // holds a token when there may be something to take

	mu     sync.Mutex
	moves  map[[2]string]*cursorMove
	order  []*cursorMove
	limit  int
	closed bool
}

func newCursorQueue(limit int) *cursorQueue {
	return &cursorQueue{wake: make(chan struct{}, 1), moves: map[[2]string]*cursorMove{}, limit: limit}
}

// push adds a move and answers where its outcome will come.
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
			e := chat.Errorf(chat.Overloaded, "too many cursors wait to be stored")
			e.RetryAfter = time.Second
			return nil, e
		}
		m = &cursorMove{userID: userID, chatID: chatID}
		q.moves[key] = m
		q.order = append(q.order, m)
	}
	done := make(chan cursorOutcome, 1)
	m.further(ch)
	m.waiting = append(m.waiting, done)
	q.poke()
	return done, nil
}

// putBack returns moves whose rows others held. What has come for the same
// member meanwhile joins them.
func (q *cursorQueue) putBack(moves []*cursorMove) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range moves {
		key := [2]string{m.userID, m.chatID}
		if newer := q.moves[key]; newer != nil {
			newer.further(m.change)
			newer.waiting = append(newer.waiting, m.waiting...)
			newer.left = m.left
			continue
		}
		q.moves[key] = m
		q.order = append(q.order, m)
	}
	if len(moves) > 0 {
		q.poke()
	}
}

func (q *cursorQueue) take(limit int) []*cursorMove {
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

// close refuses what comes from now on.
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
