package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// pool lends connections of one purpose, in the order of asking. Purposes have
// pools of their own so that none can starve another.
type pool struct {
	db       *sql.DB
	size     int
	acquire  time.Duration
	patience time.Duration                  // see conn
	trace    func(query string, args []any) // see conn
	// kept has a place for each connection; nil stands for one that is not open.
	// It is nil itself when the driver keeps statements: then db is pool enough.
	kept chan *conn
}

// newPool takes over db. With keep, connections stay open together with the
// statements they prepared.
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

// get waits for a connection for as long as ctx and the pool's patience allow.
func (p *pool) get(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.acquire)
	defer cancel()
	if p.kept == nil {
		c, err := p.db.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("get connection: %w", err)
		}
		return &conn{c: c, patience: p.patience, trace: p.trace}, nil
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

// refresh closes the connections that nobody uses: where the server has dropped
// one, it has most likely dropped them all.
func (p *pool) refresh() {
	p.db.SetMaxIdleConns(0)
	p.db.SetMaxIdleConns(p.size)
}

// put takes a connection back.
func (p *pool) put(c *conn) {
	switch {
	case p.kept == nil:
		_ = c.close() // it goes back to db, or is thrown away
	case c.bad:
		_ = c.close() // what it could tell is known: it is bad
		p.kept <- nil
	default:
		p.kept <- c
	}
}

// close waits for every connection to come back, for as long as the pool's
// patience allows: a process that is to end must not be held by one that hangs.
func (p *pool) close() error {
	late := time.NewTimer(p.acquire)
	defer late.Stop()
	for range cap(p.kept) {
		select {
		case c := <-p.kept:
			if c != nil {
				_ = c.close() // db.Close says what matters
			}
		case <-late.C:
			return errors.Join(errors.New("close database: a connection is still in use"), p.db.Close())
		}
	}
	return p.db.Close()
}
