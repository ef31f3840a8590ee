package persistence

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Connections that the smaller pools of one node take.
const (
	postgresLanes   = 4
	postgresReplays = 8
)

// nodeApplication is what a node's connections are called in pg_stat_activity.
const nodeApplication = "fechatter"

func postgresDialect() dialect {
	// A backup restored elsewhere has another system identifier, a standby that
	// took over another timeline.
	const history = "(SELECT m.value || '.' || c.system_identifier || '.' || " +
		"substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM meta m, pg_control_system() c WHERE m.name = 'epoch')"
	return dialect{
		now:        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
		history:    history,
		epoch:      epochOf(history),
		beginRead:  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		beginWrite: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
		lock:       " FOR UPDATE",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		classify:   classifyPostgres,
		committed:  committedPostgres,
		dropped:    droppedPostgres,
	}
}

// openPostgres opens the pools of one node. They connect when first used.
func openPostgres(ctx context.Context, cfg Config) (*pools, error) {
	base, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("database: %s is not the address of a PostgreSQL database", maskURL(cfg.URL))
	}
	base.ConnectTimeout = cfg.ConnectTimeout
	if cfg.dial != nil {
		base.DialFunc = cfg.dial
	}
	open := func(size int, statement time.Duration, plan string) *pool {
		c := base.Copy()
		maps.Copy(c.RuntimeParams, map[string]string{
			"application_name":                    cfg.application,
			"statement_timeout":                   milliseconds(statement),
			"lock_timeout":                        milliseconds(cfg.LockTimeout),
			"idle_in_transaction_session_timeout": milliseconds(cfg.StatementTimeout),
			"plan_cache_mode":                     plan,
		})
		p := newPool(stdlib.OpenDB(*c), size, false, cfg.AcquireTimeout)
		p.patience = statement * 5 / 4 // the server's own answer comes first, if it gives one
		p.trace = cfg.trace
		return p
	}
	// Planning is little beside a group of sends, and a plan made when the tables
	// were small would scan them all until the next ANALYZE.
	const once, eachTime = "auto", "force_custom_plan"
	t := cfg.StatementTimeout
	p := &pools{write: open(cfg.Connections, t, once), batch: open(1, t, eachTime), lane: open(postgresLanes, t, eachTime),
		read: open(cfg.Connections, t, once), replay: open(postgresReplays, t, once),
		probe: open(1, t, once), canary: open(1, t, once), migrate: open(2, 0, once)}
	if err := checkPostgres(ctx, p.probe.db, cfg.ConnectTimeout+t); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// maskURL leaves out what may hold a password.
func maskURL(u string) string {
	if scheme, rest, ok := strings.Cut(u, "://"); ok {
		return scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
	}
	return "the given text"
}

// checkPostgres makes sure that a commit is on disk before it is acknowledged.
func checkPostgres(ctx context.Context, db *sql.DB, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var fsync, pages, commit string
	err := db.QueryRowContext(ctx, `SELECT current_setting('fsync'), current_setting('full_page_writes'),
		current_setting('synchronous_commit')`).Scan(&fsync, &pages, &commit)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if fsync != "on" || pages != "on" || commit != "on" && commit != "remote_apply" {
		return fmt.Errorf("PostgreSQL would lose acknowledged messages: fsync is %s, full_page_writes %s and synchronous_commit %s; "+
			"all must be on (or synchronous_commit remote_apply)", fsync, pages, commit)
	}
	return nil
}

func classifyPostgres(err error) failure {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifyState(e.Code)
	}
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &network), errors.As(err, &connect), pgconn.SafeToRetry(err), pgconn.Timeout(err),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		return failUnavailable
	}
	return failOther
}

func classifyState(state string) failure {
	switch state {
	case "23505":
		return failUnique
	case "23503":
		return failReference
	case "40001", "40P01":
		return failRetry
	case "55P03", "57014", "25006", "55000", "25P03": // lock_timeout, statement_timeout, a standby (twice), idle too long
		return failUnavailable
	}
	switch state[:2] {
	case "08", "53", "57", "58": // connection, resources, shutdown, disk
		return failUnavailable
	}
	return failOther
}

// droppedPostgres says whether a connection that worked before has ended. One
// that could not be made tells of the server, and silence may mean anything.
func droppedPostgres(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(e.Code, "57P") && e.Code != "57P03" // 57P03: it takes no connections
	}
	var network net.Error
	switch {
	case errors.As(err, new(*pgconn.ConnectError)), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.As(err, &network) && network.Timeout():
		return false
	}
	return classifyPostgres(err) == failUnavailable
}

// committedPostgres says whether a failed COMMIT may have committed: an answer
// of the server that is not about its own end says no.
func committedPostgres(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return true
	}
	switch e.Code[:2] {
	case "08", "57", "58", "XX":
		return true
	}
	return false
}
