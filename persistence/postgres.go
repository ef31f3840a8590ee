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

// Connections in the smaller pools of a node.
const (
	postgresLanes   = 4
	postgresReplays = 8
)

// nodeApplication is the name of a node's connections in pg_stat_activity.
const nodeApplication = "fechatter"

const lockTimedOut = "55P03"

// byKey returns the settings under which a group of sends looks up every row by its key, however
// little the planner knows about the tables: it would rather read one of ten thousand messages
// as a whole, and a plan that it made while they were few, until the next ANALYZE. Planning
// costs little compared to a group of sends.
func byKey() map[string]string {
	return map[string]string{"plan_cache_mode": "force_custom_plan", "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}
}

func postgresDialect() dialect {
	// A backup restored elsewhere has another system identifier; a standby that took
	// over, another timeline.
	const history = "(SELECT m.value || '.' || c.system_identifier || '.' || " +
		"substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM meta m, pg_control_system() c WHERE m.name = 'epoch')"
	return dialect{
		now:     "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
		history: history,
		epoch:   epochOf(history),
		// The oldest transaction that is still running, counted on from the servers before.
		horizon:    "(SELECT CAST(value AS BIGINT) + txid_snapshot_xmin(txid_current_snapshot()) FROM meta WHERE name = 'transactions')",
		beginRead:  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		beginWrite: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
		lock:       " FOR UPDATE",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		lockUsers: "SELECT pg_advisory_xact_lock($1, n) FROM " +
			"(SELECT CAST(value AS INTEGER) AS n FROM json_array_elements_text($2::json) ORDER BY n) AS numbers",
		classify:  classifyPostgres,
		committed: committedPostgres,
		dropped:   droppedPostgres,
		lockTimedOut: func(err error) bool {
			e, ok := errors.AsType[*pgconn.PgError](err)
			return ok && e.Code == lockTimedOut
		},
	}
}

// openPostgres opens the pools of a node. They connect on first use.
func openPostgres(ctx context.Context, cfg Config) (*pools, error) {
	base, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("database: %s is not the URL of a PostgreSQL database", maskURL(cfg.URL))
	}
	base.ConnectTimeout = cfg.ConnectTimeout
	if cfg.dial != nil {
		base.DialFunc = cfg.dial
	}
	open := func(size int, statement, lock time.Duration, plans map[string]string) *pool {
		c := base.Copy()
		maps.Copy(c.RuntimeParams, map[string]string{
			"application_name":                    cfg.application,
			"statement_timeout":                   milliseconds(statement),
			"lock_timeout":                        milliseconds(lock),
			"idle_in_transaction_session_timeout": milliseconds(cfg.StatementTimeout),
		})
		maps.Copy(c.RuntimeParams, plans)
		p := newPool(stdlib.OpenDB(*c), size, false, cfg.AcquireTimeout)
		p.patience = statement * 5 / 4 // the server's own refusal comes first, if there is one
		p.trace, p.pipeline = cfg.trace, pipelinePostgres
		return p
	}
	t, w := cfg.StatementTimeout, cfg.LockTimeout
	p := &pools{write: open(cfg.Connections, t, w, nil), batch: open(1, t, w, byKey()), turn: open(1, t, cfg.TurnTimeout, byKey()),
		lane: open(postgresLanes, t, w, byKey()), read: open(cfg.Connections, t, w, nil), replay: open(postgresReplays, t, w, nil),
		probe: open(1, t, w, nil), canary: open(1, t, w, nil), migrate: open(2, 0, w, nil)}
	if err := checkPostgres(ctx, p.probe.db, cfg.ConnectTimeout+t); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// maskURL omits the part that may hold a password.
func maskURL(u string) string {
	if scheme, rest, ok := strings.Cut(u, "://"); ok {
		return scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
	}
	return "the given text"
}

// checkPostgres makes sure that commits are on disk before they are acknowledged.
func checkPostgres(ctx context.Context, db *sql.DB, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var d durability
	err := db.QueryRowContext(ctx, `SELECT current_setting('fsync'), current_setting('full_page_writes'),
		current_setting('synchronous_commit'), COALESCE(current_setting('data_sync_retry', true), 'off')`).
		Scan(&d.fsync, &d.pages, &d.commit, &d.retry)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	return d.check()
}

// durability is the settings on which it depends that a commit is on disk.
type durability struct{ fsync, pages, commit, retry string }

func (d durability) check() error {
	if d.fsync != "on" || d.pages != "on" || d.commit != "on" && d.commit != "remote_apply" {
		return fmt.Errorf("PostgreSQL would lose acknowledged messages: fsync is %s, full_page_writes %s and synchronous_commit %s; "+
			"all must be on (or synchronous_commit remote_apply)", d.fsync, d.pages, d.commit)
	}
	if d.retry != "off" {
		return errors.New("PostgreSQL would lose acknowledged messages after a failed fsync: data_sync_retry must be off, so that it panics")
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
	case lockTimedOut, "57014", "25006", "55000", "25P03": // …, statement_timeout, a standby (both), idle for too long
		return failUnavailable
	}
	switch state[:2] {
	case "08", "53", "57", "58": // connection, resources, shutdown, disk
		return failUnavailable
	}
	return failOther
}

// droppedPostgres reports whether a connection that worked before has ended. A
// failure to connect is about the server, and silence may mean anything.
func droppedPostgres(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(e.Code, "57P") && e.Code != "57P03" // 57P03: the server accepts no connections
	}
	var network net.Error
	switch {
	case errors.As(err, new(*pgconn.ConnectError)), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.As(err, &network) && network.Timeout():
		return false
	}
	return classifyPostgres(err) == failUnavailable
}

// committedPostgres reports whether a failed COMMIT may have committed. It has not
// if the server answered with an error, unless that is about the server's own end.
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
