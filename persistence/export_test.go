package persistence

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"time"

	"fechatter/chat"
)

// WithDial makes PostgreSQL's connections go through dial.
func (c Config) WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) Config {
	c.dial = dial
	return c
}

// WithContention sets how long sends to a chat wait their turn after others held its lock.
func (c Config) WithContention(d time.Duration) Config {
	c.contention = d
	return c
}

// EndContention makes a chat one whose lock others held long ago.
func (s *Store) EndContention(chatID string) {
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	s.lanes.until[chatID] = time.Now().Add(-time.Minute)
}

// TurnIsOpen reports whether sends wait their turn, or are being committed in it.
func (s *Store) TurnIsOpen() bool {
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	return s.lanes.turn.open
}

// InLanes is how many sends wait in lanes.
func (s *Store) InLanes() int {
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	return s.lanes.held
}

// ExplainGroup returns the plan of a statement as a group of sends would run it.
func (s *Store) ExplainGroup(ctx context.Context, query string, args ...any) (plan string, err error) {
	c, err := s.pools.batch.get(ctx)
	if err != nil {
		return "", err
	}
	defer s.pools.batch.put(c)
	return plan, c.one(ctx, "EXPLAIN (FORMAT JSON) "+query, args, &plan)
}

// CheckDurability judges the settings of a PostgreSQL server.
func CheckDurability(fsync, pages, commit, retry string) error {
	return durability{fsync, pages, commit, retry}.check()
}

// WithTrace lets trace see every statement, from several goroutines at once.
func (c Config) WithTrace(trace func(query string, args []any)) Config {
	c.trace = trace
	return c
}

// WithDisk makes SQLite use another VFS, ask its disk what it holds, make it forget what it
// believes of a file, sync it, and run a checkpoint every 50 pages.
func (c Config) WithDisk(vfs string, forget func(*os.File), sync func(*os.File) error, onDisk func(path string) bool) Config {
	c.vfs, c.forget, c.sync, c.onDisk, c.walPages = vfs, forget, sync, onDisk, 50
	return c
}

// Tend runs a checkpoint if one is due, and returns the failure that keeps writes out.
func (s *Store) Tend(ctx context.Context) error {
	return errors.Join(s.pools.wal.tend(ctx, s.pools.write), s.pools.wal.trouble())
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

// BatchWaits is how often somebody has had to wait for the connection of group commits.
func (s *Store) BatchWaits() int64 { return s.pools.batch.db.Stats().WaitCount }

// WaitingCursors is how many members' cursors wait for the next commit.
func (s *Store) WaitingCursors() int {
	s.cursors.mu.Lock()
	defer s.cursors.mu.Unlock()
	return len(s.cursors.order)
}

// PanicInView reads with a bug.
func (s *Store) PanicInView(ctx context.Context) {
	_ = s.view(ctx, s.pools.read, "panic", func(*conn) error { panic("a read went wrong") })
}

// SendAlone stores a message in a transaction of its own, beside the others.
func (s *Store) SendAlone(ctx context.Context, m chat.Send) (chat.Sent, error) {
	var o outcome
	m.MessageID = cmp.Or(m.MessageID, s.newID())
	p := newPending(m, func(sent chat.Sent, err error) { o = outcome{sent, err} })
	s.commitSends(ctx, &batch{items: []*pending{p}, pool: s.pools.write, suffix: s.d.lock})
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
	for _, p := range []*pool{s.pools.write, s.pools.batch, s.pools.turn, s.pools.lane, s.pools.read, s.pools.replay} {
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

// WithLog sets how many pages SQLite's log may have before it is moved.
func (c Config) WithLog(pages int) Config {
	c.walPages = pages
	return c
}

// TransferTables returns the tables that a transfer moves.
func TransferTables() []string { return transferTables() }
