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
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	sqliteReaders = 8
	sqliteReplays = 4
)

func sqliteDialect() dialect {
	const history = "(SELECT value FROM meta WHERE name = 'epoch')"
	// There is one writer: nothing of a later transaction is visible before the next.
	const next = "(SELECT CAST(value AS INTEGER) + 1 FROM meta WHERE name = 'transactions')"
	return dialect{
		now:        "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)",
		history:    history,
		epoch:      epochOf(history),
		horizon:    next,
		tx:         []string{"tx=" + next},
		count:      "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'transactions'",
		beginRead:  "BEGIN",
		beginWrite: "BEGIN IMMEDIATE",
		perRow:     true,
		classify:   classifySQLite,
		committed:  committedSQLite,
		// There is no server, and nobody to wait for.
		dropped:      func(error) bool { return false },
		lockTimedOut: func(error) bool { return false },
	}
}

// openSQLite opens the pools over one file: one connection that writes, and others
// that cannot.
func openSQLite(ctx context.Context, cfg Config, path string) (*pools, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("database: sqlite needs the path of a file")
	}
	file, alone, err := openFile(path, cfg.Alone)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil { // the log is beside the file, not beside the link
		return nil, errors.Join(fmt.Errorf("find the database's file: %w", err), file.Close())
	}
	// busy_timeout comes first, since the other pragmas may have to wait for a lock.
	writer, err := sql.Open("sqlite", sqliteDSN(path, cfg, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "cache_size(-16000)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), file.Close())
	}
	readers := func(size int) *pool {
		db, openErr := sql.Open("sqlite", sqliteDSN(path, cfg, "query_only(1)"))
		err = errors.Join(err, openErr)
		return newPool(db, size, true, cfg.AcquireTimeout)
	}
	batch := newPool(writer, 1, true, cfg.AcquireTimeout)
	p := &pools{batch: batch, turn: batch, lane: batch,
		read: readers(sqliteReaders), replay: readers(sqliteReplays), probe: readers(1)}
	moving, openErr := sql.Open("sqlite", sqliteDSN(path, cfg, "synchronous(FULL)"))
	err = errors.Join(err, openErr)
	mover := newPool(moving, 1, true, cfg.AcquireTimeout)
	p.wal = &wal{path: path, file: file, forget: cfg.forget, sync: cfg.sync, onDisk: cfg.onDisk, pages: cfg.walPages, limit: cfg.DiskPatience, log: cfg.log, anchor: readers(1), mover: mover}
	for _, one := range []*pool{p.batch, p.read, p.replay, p.probe} {
		one.trace = cfg.trace
	}
	p.write = batch.inTurn()
	p.canary = p.write
	if err == nil {
		err = checkSQLite(ctx, writer)
	}
	if err == nil {
		err = p.wal.begin(ctx, writer, alone)
	}
	if alone {
		sweepPartials(filepath.Dir(path))
	}
	if err == nil && alone && !cfg.Alone {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), p.close())
	}
	return p, nil
}

// openFile opens the database's file, and creates it and its folder unless they exist.
// Only the owner may read them: everything that was ever said will be in the file, and
// in those that SQLite creates next to it with the same permissions.
//
// It tries to lock the file, which by whatever name is one file, and reports whether it
// could. With must, a file that somebody else has locked is an error.
func openFile(path string, must bool) (f *os.File, alone bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, false, fmt.Errorf("create the database's folder: %w", err)
	}
	if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, false, fmt.Errorf("create the database's file: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if must && err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("another node already uses the file %s, perhaps by another name; stop it, or give this one a database of its own", path)
		}
		return nil, false, errors.Join(err, f.Close())
	}
	return f, err == nil, nil
}

func sqliteDSN(path string, cfg Config, pragmas ...string) string {
	q := url.Values{"_pragma": {fmt.Sprintf("busy_timeout(%d)", cfg.LockTimeout.Milliseconds()), "wal_autocheckpoint(0)"}}
	if cfg.vfs != "" {
		q.Set("vfs", cfg.vfs)
	}
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// checkSQLite makes sure that commits are on disk before they are acknowledged.
func checkSQLite(ctx context.Context, db *sql.DB) error {
	var journal string
	var sync int
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&sync); err != nil {
		return err
	}
	if journal != "wal" || sync != 2 {
		return fmt.Errorf("journal_mode is %s and synchronous %d, not wal and 2 (FULL)", journal, sync)
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

// committedSQLite reports whether a failed COMMIT may have committed. Only a disk
// error leaves that open, and not an error of writing: then the transaction is not
// complete in the log, and SQLite ignores it.
func committedSQLite(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return true
	}
	return e.Code()&0xff == sqlite3.SQLITE_IOERR && e.Code() != sqlite3.SQLITE_IOERR_WRITE
}
