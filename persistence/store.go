package persistence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"fechatter/chat"
)

// DefaultQueueLength is how many sends may wait for their commit.
const DefaultQueueLength = 4096

// Config says which database to use and how. The zero value of everything but
// URL is the default.
type Config struct {
	URL string // sqlite:PATH or postgres://…

	Connections      int           // of each of the two large PostgreSQL pools; default 16
	ConnectTimeout   time.Duration // to reach the server; default 5 s
	AcquireTimeout   time.Duration // to wait for a connection; default 5 s
	LockTimeout      time.Duration // to wait for a lock; default 5 s
	StatementTimeout time.Duration // of one statement, on PostgreSQL; default 10 s

	BatchSize    int           // sends in one commit; default 256
	QueueLength  int           // sends that may wait; default DefaultQueueLength
	CursorsEvery time.Duration // least time between two commits of cursors; default 100 ms
	KeepEvents   time.Duration // age under which events are never trimmed; default 30 days
	KeepLast     int64         // events per stream that are never trimmed; default 1000
	TrimEvery    time.Duration // default 1 h
	SchemaAsIs   bool          // refuse a schema that is not this program's, instead of migrating it

	application string // what the connections are called in pg_stat_activity; default fechatter
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
	trace       func(query string, args []any) // sees every statement
}

func (c Config) withDefaults() Config {
	c.Connections = cmp.Or(c.Connections, 16)
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.AcquireTimeout = cmp.Or(c.AcquireTimeout, 5*time.Second)
	c.LockTimeout = cmp.Or(c.LockTimeout, 5*time.Second)
	c.StatementTimeout = cmp.Or(c.StatementTimeout, 10*time.Second)
	c.BatchSize = cmp.Or(c.BatchSize, 256)
	c.QueueLength = cmp.Or(c.QueueLength, DefaultQueueLength)
	c.CursorsEvery = cmp.Or(c.CursorsEvery, 100*time.Millisecond)
	c.KeepEvents = cmp.Or(c.KeepEvents, 30*24*time.Hour)
	c.KeepLast = cmp.Or(c.KeepLast, 1000)
	c.TrimEvery = cmp.Or(c.TrimEvery, time.Hour)
	c.application = cmp.Or(c.application, nodeApplication)
	return c
}

// pools are the connections by purpose. On SQLite write, batch, lane and canary
// are the one connection that writes.
type pools struct {
	write, batch, lane, read, replay, probe, canary, migrate *pool
}

func (p *pools) close() error {
	var side sync.WaitGroup // side by side: each may have to wait for what hangs
	errs := make(chan error, 8)
	closed := map[*pool]bool{nil: true}
	for _, one := range []*pool{p.write, p.batch, p.lane, p.read, p.replay, p.probe, p.canary, p.migrate} {
		if !closed[one] {
			closed[one] = true
			side.Go(func() { errs <- one.close() })
		}
	}
	side.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// Store is the facts in one database. All methods may be called concurrently.
// Sends and cursors wait for Run to commit them; everything else works without it. Whoever
// opened the store closes it, after Run has returned.
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
	cursors   *cursorQueue
	gate      *gate
	stats     counters
	observer  func(Commit) // nil: nobody
}

var _ chat.Store = (*Store)(nil)

// Open connects to the database of cfg.URL, creates or migrates its schema, and
// refuses one that would not keep what it acknowledges. newID makes UUIDs.
func Open(ctx context.Context, cfg Config, publisher chat.Publisher, newID func() string, log *slog.Logger) (*Store, error) {
	cfg = cfg.withDefaults()
	s := &Store{cfg: cfg, publisher: publisher, newID: newID, log: log, queue: newQueue(cfg.QueueLength), cursors: newCursorQueue(cfg.QueueLength), gate: newGate()}
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

// openPools connects to the database of cfg.URL.
func openPools(ctx context.Context, cfg Config) (dialect, *pools, error) {
	path, isFile := strings.CutPrefix(cfg.URL, "sqlite:")
	switch {
	case isFile:
		p, err := openSQLite(ctx, cfg, path)
		return sqliteDialect(), p, err
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		p, err := openPostgres(ctx, cfg)
		return postgresDialect(), p, err
	}
	return dialect{}, nil, fmt.Errorf("database: %s is neither sqlite:PATH nor postgres://…", maskURL(cfg.URL))
}

// Migrate brings the schema to this program's release and does nothing else.
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
	bring := migrateSchema
	if s.cfg.SchemaAsIs {
		bring = checkSchema
	}
	if err := bring(ctx, schema.db, s.d, s.log); err != nil {
		return err
	}
	if s.pools.migrate != nil {
		if err := s.pools.migrate.close(); err != nil {
			return fmt.Errorf("close migrations: %w", err)
		}
		s.pools.migrate = nil
	}
	c, err := s.pools.write.get(ctx)
	if err != nil {
		return err
	}
	defer s.pools.write.put(c)
	s.secret, err = readMeta(ctx, c, s.newID)
	return err
}

// Secret is 32 random bytes made with the database, for keyed hashes that must
// outlive the process.
func (s *Store) Secret() []byte { return s.secret }

// Close gives the connections back. Nothing may use the store any more.
func (s *Store) Close() error { return s.pools.close() }

// Run commits sends and trims the log until ctx ends, then commits what had
// been accepted before and returns. It must be called once.
func (s *Store) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(func() { s.runTrim(ctx) })
	beside.Go(func() { s.runCursors(ctx) })
	s.runBatches(ctx)
	beside.Wait()
	return nil
}
