package persistence

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

// rollbackTimeout bounds the rollback of a transaction whose caller is gone.
const rollbackTimeout = 2 * time.Second

// conn is one connection, for one goroutine at a time. It caches the statements
// that it prepared if its driver does not.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt // nil if the driver caches them
	// patience bounds a statement even if the server never answers; 0 means no bound,
	// for a driver without a server.
	patience time.Duration
	trace    func(query string, args []any) // is called with every statement; may be nil
	begun    bool                           // a transaction may be open
	dirty    bool                           // the transaction wrote something
	bad      bool                           // must not be used again
	gated    []string                       // streams whose gate this transaction has entered
	pipeline pipeline                       // nil if it would save nothing
	woken    []chat.JobKind                 // of the jobs that this transaction has put
}

// statement is one that changes something, and what for.
type statement struct {
	what, query string
	args        []any
}

// pipeline runs statements in one round trip to a server.
type pipeline func(ctx context.Context, c *sql.Conn, all []statement) error

// execAll runs statements in their order, up to the first that fails.
func (c *conn) execAll(ctx context.Context, all []statement) error {
	if c.pipeline == nil || len(all) < 2 {
		for _, s := range all {
			if _, err := c.exec(ctx, s.query, s.args...); err != nil {
				return fmt.Errorf("%s: %w", s.what, err)
			}
		}
		return nil
	}
	c.dirty = true
	ctx, cancel := c.within(ctx)
	defer cancel()
	for _, s := range all {
		c.traced(s.query, s.args)
	}
	return c.pipeline(ctx, c.c, all)
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	c.dirty = true
	result, err := c.run(ctx, query, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// within bounds the time of a statement.
func (c *conn) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.patience == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.patience)
}

// control runs BEGIN, COMMIT or ROLLBACK.
func (c *conn) control(ctx context.Context, command string) error {
	_, err := c.run(ctx, command, nil)
	return err
}

func (c *conn) run(ctx context.Context, query string, args []any) (sql.Result, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	c.traced(query, args)
	if c.stmts == nil {
		return c.c.ExecContext(ctx, query, args...)
	}
	stmt, err := c.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time, closed by close
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (c *conn) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.traced(query, args)
	if c.stmts == nil {
		return c.c.QueryContext(ctx, query, args...)
	}
	stmt, err := c.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time, closed by close
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (c *conn) traced(query string, args []any) {
	if c.trace != nil {
		c.trace(query, args)
	}
}

// one reads a single row; sql.ErrNoRows if there is none.
func (c *conn) one(ctx context.Context, query string, args []any, dest ...any) error {
	ctx, cancel := c.within(ctx)
	defer cancel()
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}

// collect reads all rows before it returns, so that the connection is free again.
func collect[T any](ctx context.Context, c *conn, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var row T
		if err := scan(rows, &row); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func scanString(rows *sql.Rows, s *string) error { return rows.Scan(s) }

func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := c.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := c.c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = stmt
	return stmt, nil
}

func (c *conn) begin(ctx context.Context, command string) error {
	c.dirty, c.begun = false, true
	if err := c.control(ctx, command); err != nil {
		c.rollback(ctx) // a driver may fail after the server has begun
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// rollback ends the transaction even if ctx has ended. A connection that cannot
// even do that is not used again.
func (c *conn) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if err := c.control(ctx, "ROLLBACK"); err != nil {
		c.bad = true
	}
	c.begun = false
}

func (c *conn) close() error {
	errs := make([]error, 0, len(c.stmts)+1)
	for _, stmt := range c.stmts {
		errs = append(errs, stmt.Close())
	}
	if c.bad {
		_ = c.c.Raw(func(any) error { return driver.ErrBadConn }) // removes it from database/sql's pool
	}
	if err := c.c.Close(); !errors.Is(err, sql.ErrConnDone) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
