package persistence

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"fechatter/chat"
)

const (
	maxAttempts   = 6
	commitTimeout = 10 * time.Second
)

// view runs fn on a connection without a transaction: for one statement.
func (s *Store) view(ctx context.Context, p *pool, what string, fn func(*conn) error) error {
	return s.mapError(s.lend(ctx, p, fn), what)
}

// lend runs fn on a connection of p, and once more on a fresh one if the server
// has dropped the first: a read may be asked twice.
func (s *Store) lend(ctx context.Context, p *pool, fn func(*conn) error) error {
	err := s.lendOnce(ctx, p, fn)
	if s.dropped(ctx, err) {
		p.refresh()
		err = s.lendOnce(ctx, p, fn)
	}
	return err
}

// lendOnce gives the connection back even from a panic.
func (s *Store) lendOnce(ctx context.Context, p *pool, fn func(*conn) error) (err error) {
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	defer func() { s.release(p, c, err) }()
	return fn(c)
}

// snapshot runs fn in a transaction in which every statement sees the same.
func (s *Store) snapshot(ctx context.Context, p *pool, what string, fn func(*conn) error) error {
	return s.view(ctx, p, what, func(c *conn) error {
		if err := c.begin(ctx, s.d.beginRead); err != nil {
			return err
		}
		defer c.rollback(ctx)
		return fn(c)
	})
}

// release gives a connection back, unless it may be what failed, or a panic has
// left its transaction open.
func (s *Store) release(p *pool, c *conn, err error) {
	if c.begun || err != nil && s.d.classify(err) == failUnavailable {
		c.bad = true
	}
	p.put(c)
}

// commitError is a COMMIT of which it is not known whether it was done.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// write runs fn in one transaction and publishes the events that it answers,
// after the commit and in the turn of their streams. A *commitError means that
// the outcome is not known; every other error, that nothing was done.
func (s *Store) write(ctx context.Context, p *pool, fn func(*conn) ([]chat.Event, error)) (err error) {
	c, err := s.transaction(ctx, p)
	if err != nil {
		return err
	}
	defer func() {
		s.gate.leave(c.gated)
		c.gated = nil
		s.release(p, c, err)
	}()
	events, err := fn(c)
	if err != nil {
		c.rollback(ctx)
		return err
	}
	if err := s.commit(ctx, c); err != nil {
		return err
	}
	if len(events) > 0 {
		s.publisher.Publish(events)
	}
	return nil
}

// transaction begins one. If the server has dropped the connection, nothing was
// sent yet, and a fresh one will do.
func (s *Store) transaction(ctx context.Context, p *pool) (*conn, error) {
	for fresh := false; ; fresh = true {
		c, err := p.get(ctx)
		if err != nil {
			return nil, err
		}
		if err = c.begin(ctx, s.d.beginWrite); err == nil {
			return c, nil
		}
		s.release(p, c, err)
		if fresh || !s.dropped(ctx, err) {
			return nil, err
		}
		p.refresh()
	}
}

// commit ends a transaction whose statements all succeeded. That the caller is
// gone does not count any more, for half a commit helps nobody; only that the
// caller's time is up.
func (s *Store) commit(ctx context.Context, c *conn) error {
	if err := ctx.Err(); err != nil || !c.dirty {
		c.rollback(ctx)
		return err
	}
	end := time.Now().Add(commitTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		end = d
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	err := c.control(ctx, "COMMIT")
	if err == nil {
		c.begun = false
		return nil
	}
	c.rollback(ctx)
	if s.d.committed(err) {
		return &commitError{err}
	}
	return fmt.Errorf("commit: %w", err)
}

// contained turns a panic of f into an error: what the store's own goroutines do
// for one caller must not end it for all.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}

// retry repeats a transaction that the database rolled back for others' sake.
// unique says that a refused unique index is such a case too: someone else was
// first, and the next attempt finds what they made.
func (s *Store) retry(ctx context.Context, unique bool, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || n == maxAttempts || errors.As(err, new(*commitError)) {
			return err
		}
		class := s.d.classify(err)
		if class != failRetry && (class != failUnique || !unique) {
			return err
		}
		select {
		case <-time.After(time.Duration(n) * rand.N(10*time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// update is write for what may be asked again without harm: an unknown outcome
// is answered as such.
func (s *Store) update(ctx context.Context, what string, fn func(*conn) ([]chat.Event, error)) error {
	err := s.retry(ctx, false, func() error { return s.write(ctx, s.pools.write, fn) })
	if unknown := (*commitError)(nil); errors.As(err, &unknown) {
		return unknownOutcome(fmt.Errorf("%s: %w", what, err))
	}
	return s.mapError(err, what)
}
