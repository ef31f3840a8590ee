package server

import (
	"context"
	"sync"
	"sync/atomic"
)

// turns lets so many resumes run at once, and fewer of one user: a storm of
// reconnects reads the database in turns, and whoever takes in their replays
// slowly, on many connections, keeps nobody else waiting. Its methods may be
// called concurrently.
type turns struct {
	all     chan struct{} // holds a token for each turn taken
	perUser int

	mu    sync.Mutex
	users map[string]*userTurns

	waiters atomic.Int64
}

type userTurns struct {
	taken chan struct{}
	known int // who waits for a turn or has one
}

func newTurns(all, perUser int) *turns {
	return &turns{all: make(chan struct{}, all), perUser: perUser, users: map[string]*userTurns{}}
}

// enter waits for a turn, which ends with leave.
func (t *turns) enter(ctx context.Context, user string) (leave func(), err error) {
	t.waiters.Add(1)
	defer t.waiters.Add(-1)
	own := t.of(user)
	if err := take(ctx, own.taken); err != nil {
		t.forget(user, own)
		return nil, err
	}
	if err := take(ctx, t.all); err != nil {
		<-own.taken
		t.forget(user, own)
		return nil, err
	}
	return func() {
		<-t.all
		<-own.taken
		t.forget(user, own)
	}, nil
}

// waiting is how many wait for a turn.
func (t *turns) waiting() int { return int(t.waiters.Load()) }

func take(ctx context.Context, turns chan<- struct{}) error {
	select {
	case turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turns) of(user string) *userTurns {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.users[user]
	if own == nil {
		own = &userTurns{taken: make(chan struct{}, t.perUser)}
		t.users[user] = own
	}
	own.known++
	return own
}

func (t *turns) forget(user string, own *userTurns) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.known--; own.known == 0 {
		delete(t.users, user)
	}
}
