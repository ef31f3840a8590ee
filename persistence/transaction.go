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
// has dropped the first: a read may run twice.
func (s *Store) lend(ctx context.Context, p *pool, fn func(*conn) error) error {
	err := s.lendOnce(ctx, p, fn)
	if s.dropped(ctx, err) {
		p.refresh()
		err = s.lendOnce(ctx, p, fn)
	}
	return err
}

// dropped reports whether the error is about a connection that the server has
// ended, and not about the database: a fresh one may work.
func (s *Store) dropped(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() == nil && s.d.dropped(err)
}

// lendOnce returns the connection to the pool even after a panic.
func (s *Store) lendOnce(ctx context.Context, p *pool, fn func(*conn) error) (err error) {
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	defer func() { s.release(p, c, err) }()
	return fn(c)
}

// snapshot runs fn in a transaction in which every statement sees the same data.
func (s *Store) snapshot(ctx context.Context, p *pool, what string, fn func(*conn) error) error {
	return s.view(ctx, p, what, func(c *conn) error {
		if err := c.begin(ctx, s.d.beginRead); err != nil {
			return err
		}
		defer c.rollback(ctx)
		return fn(c)
	})
}

// release returns a connection to the pool, and marks it bad if it may be what
// failed or a panic left its transaction open.
func (s *Store) release(p *pool, c *conn, err error) {
	if c.begun || err != nil && s.d.classify(err) == failUnavailable {
		c.bad = true
	}
	p.put(c)
}

// commitError is a COMMIT whose outcome is unknown.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// write runs fn in one transaction and publishes the events that fn returns, after
// the commit and in the order of their streams. A *commitError means that the
// outcome is unknown; any other error, that nothing was done.
func (s *Store) write(ctx context.Context, p *pool, fn func(*conn) ([]chat.Event, error)) (err error) {
	c, err := s.transaction(ctx, p)
	if err != nil {
		return err
	}
	defer func() {
		s.pools.wal.judge(err)
		s.gate.leave(c.gated)
		c.gated, c.woken = nil, nil
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
	if len(c.woken) > 0 && s.jobsPut != nil {
		s.jobsPut(c.woken)
	}
	return nil
}

// transaction begins one. If the server has dropped the connection, nothing was
// sent yet and a fresh connection will do.
func (s *Store) transaction(ctx context.Context, p *pool) (*conn, error) {
	for fresh := false; ; fresh = true {
		c, err := p.get(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.pools.wal.trouble(); err != nil {
			p.put(c)
			return nil, err
		}
		if err = c.begin(ctx, s.d.beginWrite); err == nil {
			return c, nil
		}
		s.pools.wal.judge(err)
		s.release(p, c, err)
		if fresh || !s.dropped(ctx, err) {
			return nil, err
		}
		p.refresh()
	}
}

// commit ends a transaction whose statements all succeeded. It ignores a caller
// who is gone, since half a commit helps nobody, and respects only the caller's
// deadline.
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
// for one caller must not bring everyone down.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}

// retry repeats a transaction that the database rolled back because of others. With
// unique, a violated unique index is such a case too: somebody else was first, and
// the next attempt finds what they made.
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

// update is write for what may be repeated without harm: it reports an unknown
// outcome as such.
func (s *Store) update(ctx context.Context, what string, fn func(*conn) ([]chat.Event, error)) error {
	err := s.retry(ctx, false, func() error { return s.write(ctx, s.pools.write, fn) })
	if unknown := (*commitError)(nil); errors.As(err, &unknown) {
		return unknownOutcome(fmt.Errorf("%s: %w", what, err))
	}
	return s.mapError(err, what)
}
