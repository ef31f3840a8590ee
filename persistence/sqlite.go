package persistence

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	sqliteReaders = 8
	sqliteReplays = 4
)

func sqliteDialect() dialect {
	const history = "(SELECT value FROM meta WHERE name = 'epoch')"
	return dialect{
		now:        "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)",
		history:    history,
		epoch:      epochOf(history),
		beginRead:  "BEGIN",
		beginWrite: "BEGIN IMMEDIATE",
		perRow:     true,
		classify:   classifySQLite,
		committed:  committedSQLite,
		dropped:    func(error) bool { return false }, // there is no server
	}
}

// openSQLite opens the pools over one file: one connection that writes, and
// others that cannot.
func openSQLite(ctx context.Context, cfg Config, path string) (*pools, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, fmt.Errorf("database: sqlite needs the path of a file")
	}
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	// busy_timeout comes first: the other pragmas may have to wait for a lock. A
	// checkpoint waits for 64 MB of log, and writes a page once that many groups
	// have changed.
	writer, err := sql.Open("sqlite", sqliteDSN(path, cfg, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "cache_size(-16000)", "wal_autocheckpoint(16000)"))
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	readers := func(size int) *pool {
		db, openErr := sql.Open("sqlite", sqliteDSN(path, cfg, "query_only(1)"))
		err = errors.Join(err, openErr)
		return newPool(db, size, true, cfg.AcquireTimeout)
	}
	write := newPool(writer, 1, true, cfg.AcquireTimeout)
	p := &pools{write: write, batch: write, lane: write,
		read: readers(sqliteReaders), replay: readers(sqliteReplays), probe: readers(1)}
	p.canary = write
	for _, one := range []*pool{p.write, p.read, p.replay, p.probe} {
		one.trace = cfg.trace
	}
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	if err := checkSQLite(ctx, writer); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// makePrivate makes an empty file, and its folder, if there is none, that only the
// owner may read: everything that was ever said will be in it, and in the files
// that SQLite makes beside it with the same rights.
func makePrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create the database's folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("create the database's file: %w", err)
	}
	return f.Close()
}

func sqliteDSN(path string, cfg Config, pragmas ...string) string {
	q := url.Values{"_pragma": {fmt.Sprintf("busy_timeout(%d)", cfg.LockTimeout.Milliseconds())}}
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// checkSQLite makes sure that a commit is on disk before it is acknowledged.
func checkSQLite(ctx context.Context, db *sql.DB) error {
	var journal string
	var sync int
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return fmt.Errorf("open sqlite: %w", err)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&sync); err != nil {
		return fmt.Errorf("open sqlite: %w", err)
	}
	if journal != "wal" || sync != 2 {
		return fmt.Errorf("open sqlite: journal_mode is %s and synchronous %d, not wal and 2 (FULL)", journal, sync)
	}
	return nil
}

func classifySQLite(err error) failure {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
			return failUnavailable
		}
		return failOther
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return failUnique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return failReference
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return failRetry
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL:
		return failUnavailable
	}
	return failOther
}

// committedSQLite says whether a failed COMMIT may have committed: only a disk
// error leaves that open, and not one of writing, for then the transaction is
// not whole in the log, and SQLite reads none of it.
func committedSQLite(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return true
	}
	return e.Code()&0xff == sqlite3.SQLITE_IOERR && e.Code() != sqlite3.SQLITE_IOERR_WRITE
}
