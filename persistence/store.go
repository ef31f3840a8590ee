// Package persistence keeps the facts: users, sessions, chats, members,
// messages, reactions, cursors and the event log, in SQLite or PostgreSQL, with
// the same SQL. Store implements chat.Store and answers the hub's questions
// about positions and events.
//
// A stream (a chat, or a user's personal events) has one row in the table
// streams. Whatever appends to a stream locks that row first, with a statement
// of its own, and reads everything it decides on with later statements: so seq
// order is commit order, which is the order in which readers see events, without
// holes. Sends are committed in groups (see send_batch.go), everything else in
// plain transactions under the same locks (see change.go).
//
// The package contains no rule about chats: it asks chat.Send and the function
// passed to Change. Nor does it know about connections, buses or the wire: it
// hands committed events to a chat.Publisher and forgets them.
package persistence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"fechatter/chat"
)

// DefaultQueueLength is how many sends may wait for their commit.
const DefaultQueueLength = 4096

// Config selects the database and how it is used. The zero value of every field
// but URL selects the default.
type Config struct {
	URL string // sqlite:PATH or postgres://…

	Connections      int           // of each of the two large PostgreSQL pools; default 16
	ConnectTimeout   time.Duration // to reach the server; default 5 s
	AcquireTimeout   time.Duration // to wait for a connection; default 5 s
	LockTimeout      time.Duration // to wait for a lock; default 5 s
	TurnTimeout      time.Duration // of the groups that wait for locks, for each; default a tenth of LockTimeout
	StatementTimeout time.Duration // of one statement, on PostgreSQL; default 10 s

	BatchSize    int           // sends in one commit; default 256
	QueueLength  int           // sends that may wait; default DefaultQueueLength
	CursorsEvery time.Duration // least time between two commits of cursors; default 100 ms
	KeepEvents   time.Duration // age under which events are never trimmed; default 30 days
	KeepLast     int64         // events per stream that are never trimmed; default 1000
	TrimEvery    time.Duration // default 1 h
	SchemaAsIs   bool          // refuse a schema that is not this program's, instead of migrating it
	Alone        bool          // refuse an SQLite file that another process has opened so, by whatever name
	DiskPatience time.Duration // on SQLite, how long the disk may fail before Run returns an error; default 30 s

	contention  time.Duration // how long sends to a chat wait their turn after others held its lock; default 1 s
	application string        // what the connections are called in pg_stat_activity; default fechatter
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
	trace       func(query string, args []any) // sees every statement
	log         *slog.Logger
	vfs         string                 // SQLite's way to the disk; default its own
	forget      func(*os.File)         // default forgetBlocks
	sync        func(*os.File) error   // default that of the file
	onDisk      func(path string) bool // default sameOnDisk
	walPages    int                    // of SQLite's log, before a checkpoint
}

func (c Config) withDefaults() Config {
	c.Connections = cmp.Or(c.Connections, 16)
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.AcquireTimeout = cmp.Or(c.AcquireTimeout, 5*time.Second)
	c.LockTimeout = cmp.Or(c.LockTimeout, 5*time.Second)
	c.TurnTimeout = cmp.Or(c.TurnTimeout, c.LockTimeout/10)
	c.StatementTimeout = cmp.Or(c.StatementTimeout, 10*time.Second)
	c.BatchSize = cmp.Or(c.BatchSize, 256)
	c.QueueLength = cmp.Or(c.QueueLength, DefaultQueueLength)
	c.CursorsEvery = cmp.Or(c.CursorsEvery, 100*time.Millisecond)
	c.KeepEvents = cmp.Or(c.KeepEvents, 30*24*time.Hour)
	c.KeepLast = cmp.Or(c.KeepLast, 1000)
	c.TrimEvery = cmp.Or(c.TrimEvery, time.Hour)
	c.walPages = cmp.Or(c.walPages, walPages)
	c.DiskPatience = cmp.Or(c.DiskPatience, 30*time.Second)
	c.contention = cmp.Or(c.contention, time.Second)
	c.application = cmp.Or(c.application, nodeApplication)
	c.log = cmp.Or(c.log, slog.New(slog.DiscardHandler))
	if c.forget == nil {
		c.forget = forgetBlocks
	}
	if c.sync == nil {
		c.sync = (*os.File).Sync
	}
	if c.onDisk == nil {
		c.onDisk = sameOnDisk
	}
	return c
}

// Store is the facts in one database. All methods may be called concurrently.
// Sends and cursors wait for Run to commit them; everything else works without
// it. Whoever opened the store closes it, after Run has returned.
type Store struct {
	cfg       Config
	d         dialect
	sql       statements
	pools     *pools
	publisher chat.Publisher
	newID     func() string
	log       *slog.Logger
	secret    []byte
	queue     *queue
	lanes     *lanes
	cursors   *cursorQueue
	gate      *gate
	stats     counters
	observer  func(Commit)         // may be nil
	jobsPut   func([]chat.JobKind) // may be nil
}

var _ chat.Store = (*Store)(nil)

// Open connects to the database at cfg.URL, creates or migrates its schema, and
// refuses a database that would not keep what it acknowledges. newID makes UUIDs.
func Open(ctx context.Context, cfg Config, publisher chat.Publisher, newID func() string, log *slog.Logger) (*Store, error) {
	cfg.log = log
	cfg = cfg.withDefaults()
	s := &Store{cfg: cfg, publisher: publisher, newID: newID, log: log, queue: newQueue(cfg.QueueLength), cursors: newCursorQueue(cfg.QueueLength), gate: newGate()}
	s.lanes = newLanes(s)
	var err error
	if s.d, s.pools, err = openPools(ctx, cfg); err != nil {
		return nil, err
	}
	s.sql = newStatements(s.d)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.pools.close())
	}
	return s, nil
}

// Migrate upgrades the schema to this program's release and does nothing else.
func Migrate(ctx context.Context, cfg Config, newID func() string, log *slog.Logger) error {
	s, err := Open(ctx, cfg, nil, newID, log)
	if err != nil {
		return err
	}
	return s.Close()
}

func (s *Store) prepare(ctx context.Context) error {
	schema := s.pools.write
	if s.pools.migrate != nil {
		schema = s.pools.migrate
	}
	ready := migrateSchema
	if s.cfg.SchemaAsIs {
		ready = checkSchema
	}
	if err := ready(ctx, schema.db, s.d, s.log); err != nil {
		return err
	}
	if s.pools.migrate != nil {
		if err := s.pools.migrate.close(); err != nil {
			return fmt.Errorf("close migrations: %w", err)
		}
		s.pools.migrate = nil
	}
	if !s.cfg.SchemaAsIs {
		if err := s.refold(ctx); err != nil {
			return err
		}
	}
	c, err := s.pools.write.get(ctx)
	if err != nil {
		return err
	}
	defer s.pools.write.put(c)
	if s.secret, err = readMeta(ctx, c, s.newID); err != nil {
		return err
	}
	return s.makeBusKeys(ctx, c)
}

// Secret returns 32 random bytes that were made with the database, for keyed
// hashes that must outlive the process.
func (s *Store) Secret() []byte { return s.secret }

// Close closes the connections. The store must not be used afterwards.
func (s *Store) Close() error { return s.pools.close() }

// Run commits sends and cursors and trims the log until ctx ends, then commits
// what was accepted before that and returns. It returns an error before ctx ends if the
// database's disk keeps failing: the process must end then. It must be called once.
func (s *Store) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var beside sync.WaitGroup
	beside.Go(func() {
		defer cancel()
		err = s.runWAL(ctx)
	})
	beside.Go(func() { s.sweepBackups(ctx) })
	beside.Go(func() { s.runTrim(ctx) })
	beside.Go(func() { s.runCursors(ctx) })
	s.runBatches(ctx)
	beside.Wait()
	return err
}
