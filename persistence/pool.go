package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// pool lends connections for one purpose, first come, first served. Purposes have
// separate pools so that none can starve another.
type pool struct {
	db       *sql.DB
	size     int
	acquire  time.Duration
	patience time.Duration                  // see conn
	trace    func(query string, args []any) // see conn
	pipeline pipeline                       // see conn
	// kept has a slot for each connection; nil stands for one that is not open. kept
	// itself is nil when the driver caches statements: then db is pool enough.
	kept chan *conn
	// turn has a place for the one who waits for another pool's connections, see inTurn.
	turn chan struct{}
}

// newPool takes ownership of db. With keep, connections stay open together with
// the statements they prepared.
func newPool(db *sql.DB, size int, keep bool, acquire time.Duration) *pool {
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	p := &pool{db: db, size: size, acquire: acquire}
	if keep {
		p.kept = make(chan *conn, size)
		for range size {
			p.kept <- nil
		}
	}
	return p
}

// inTurn returns a pool that lends p's connections: of those who ask it, one at a time
// waits for p. So however many do, whoever asks p itself waits for few.
func (p *pool) inTurn() *pool {
	q := *p
	q.turn = make(chan struct{}, 1)
	return &q
}

// get waits for a connection for as long as ctx and the pool allow.
func (p *pool) get(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.acquire)
	defer cancel()
	if p.turn == nil {
		return p.lend(ctx)
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("get connection: %w", ctx.Err())
	}
	c, err := p.lend(ctx)
	if err != nil {
		<-p.turn
	}
	return c, err
}

func (p *pool) lend(ctx context.Context) (*conn, error) {
	if p.kept == nil {
		c, err := p.db.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("get connection: %w", err)
		}
		return &conn{c: c, patience: p.patience, trace: p.trace, pipeline: p.pipeline}, nil
	}
	select {
	case c := <-p.kept:
		if c != nil {
			return c, nil
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("get connection: %w", ctx.Err())
	}
	c, err := p.db.Conn(ctx)
	if err != nil {
		p.kept <- nil
		return nil, fmt.Errorf("open connection: %w", err)
	}
	return &conn{c: c, stmts: map[string]*sql.Stmt{}, patience: p.patience, trace: p.trace}, nil
}

// refresh closes the idle connections: a server that has dropped one has most
// likely dropped them all.
func (p *pool) refresh() {
	p.db.SetMaxIdleConns(0)
	p.db.SetMaxIdleConns(p.size)
}

// put returns a connection to the pool.
func (p *pool) put(c *conn) {
	switch {
	case p.kept == nil:
		_ = c.close() // returns it to db, or discards it
	case c.bad:
		_ = c.close() // it is known to be bad
		p.kept <- nil
	default:
		p.kept <- c
	}
	if p.turn != nil {
		<-p.turn
	}
}

// close waits for every connection to come back, but not for longer than get
// would: a connection that hangs must not keep the process from ending. A pool that lends
// another's has none to close.
func (p *pool) close() error {
	if p.turn != nil {
		return nil
	}
	late := time.NewTimer(p.acquire)
	defer late.Stop()
	for range cap(p.kept) {
		select {
		case c := <-p.kept:
			if c != nil {
				_ = c.close() // db.Close reports what matters
			}
		case <-late.C:
			return errors.Join(errors.New("close database: a connection is still in use"), p.db.Close())
		}
	}
	return p.db.Close()
}

// pools are the connections by purpose. On SQLite write, batch, turn, lane and canary
// are the single connection that writes; those who change something take turns to wait
// for it, so that a group of sends waits for one of them and not for all.
type pools struct {
	write, batch, turn, lane, read, replay, probe, canary, migrate *pool
	wal                                                            *wal // nil on PostgreSQL
}

func (p *pools) close() error {
	var side sync.WaitGroup // all at once: each may have to wait for a connection that hangs
	errs := make(chan error, 9)
	closed := map[*pool]bool{nil: true}
	for _, one := range []*pool{p.write, p.batch, p.turn, p.lane, p.read, p.replay, p.probe, p.canary, p.migrate} {
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
	if p.wal != nil {
		all = append(all, p.wal.close())
	}
	return errors.Join(all...)
}

// openPools connects to the database at cfg.URL.
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
