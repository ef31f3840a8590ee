package persistence

import (
	"context"
	"net"

	"fechatter/chat"
)

// WithDial makes PostgreSQL's connections go through dial.
func (c Config) WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) Config {
	c.dial = dial
	return c
}

// WithTrace lets trace see every statement, from several goroutines at once.
func (c Config) WithTrace(trace func(query string, args []any)) Config {
	c.trace = trace
	return c
}

// OnWriter runs a statement on the connection that writes to SQLite.
func (s *Store) OnWriter(ctx context.Context, statement string) error {
	c, err := s.pools.write.get(ctx)
	if err != nil {
		return err
	}
	defer s.pools.write.put(c)
	return c.control(ctx, statement)
}

// HoldBatches keeps group commits from beginning, until release is called.
func (s *Store) HoldBatches(ctx context.Context) (release func(), err error) {
	c, err := s.pools.batch.get(ctx)
	return func() { s.pools.batch.put(c) }, err
}

// PanicInView reads with a bug.
func (s *Store) PanicInView(ctx context.Context) {
	_ = s.view(ctx, s.pools.read, "panic", func(*conn) error { panic("a read went wrong") })
}

// SendAlone stores a message in a transaction of its own, beside the others.
func (s *Store) SendAlone(ctx context.Context, m chat.Send) (chat.Sent, error) {
	p := newPending(m)
	s.commitSends(ctx, s.pools.write, []*pending{p}, s.d.lock)
	o := <-p.done
	return o.sent, o.err
}

// Exhaust takes every connection that serves callers, until release is called.
func (s *Store) Exhaust(ctx context.Context) (release func(), err error) {
	var taken []func()
	release = func() {
		for _, put := range taken {
			put()
		}
	}
	for _, p := range []*pool{s.pools.write, s.pools.batch, s.pools.lane, s.pools.read, s.pools.replay} {
		for range p.size {
			c, err := p.get(ctx)
			if err != nil {
				release()
				return nil, err
			}
			taken = append(taken, func() { p.put(c) })
		}
	}
	return release, nil
}
