package server

import (
	"context"
	"sync"
	"sync/atomic"
)

// turns limits how many resumes, or searches, run at once, and how many of one user: a
// storm of reconnects reads the database in turns, and a user who receives replays slowly
// on many connections keeps nobody else waiting. Its methods may be called concurrently.
type turns struct {
	all     chan struct{} // holds a token for each turn in use
	perUser int

	mu    sync.Mutex
	users map[string]*userTurns

	waiters atomic.Int64
}

type userTurns struct {
	used  chan struct{} // holds a token for each turn in use
	known int           // how many wait for a turn or have one
}

func newTurns(all, perUser int) *turns {
	return &turns{all: make(chan struct{}, all), perUser: perUser, users: map[string]*userTurns{}}
}

// enter waits for a turn, which the caller ends with leave.
func (t *turns) enter(ctx context.Context, user string) (leave func(), err error) {
	t.waiters.Add(1)
	defer t.waiters.Add(-1)
	own := t.of(user)
	if err := acquire(ctx, own.used); err != nil {
		t.forget(user, own)
		return nil, err
	}
	if err := acquire(ctx, t.all); err != nil {
		<-own.used
		t.forget(user, own)
		return nil, err
	}
	return func() {
		<-t.all
		<-own.used
		t.forget(user, own)
	}, nil
}

// waiting returns how many wait for a turn.
func (t *turns) waiting() int { return int(t.waiters.Load()) }

func acquire(ctx context.Context, turns chan<- struct{}) error {
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
		own = &userTurns{used: make(chan struct{}, t.perUser)}
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
