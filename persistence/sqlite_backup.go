package persistence

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// BackUpSQLite writes a consistent copy of the database in the file from to the
// file to. A node may go on writing meanwhile. Once BackUpSQLite returns nil the
// copy has been verified and is on disk; it appears under its name only then. A
// missing from and an existing to are errors.
func BackUpSQLite(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("find the database: %w", err)
	}
	folder, err := filepath.Abs(filepath.Dir(to))
	if err != nil {
		return fmt.Errorf("find the folder of the backup: %w", err)
	}
	sweepPartials(folder)
	if last := noteFolder(ctx, from, folder); last != "" && last != folder {
		sweepPartials(last)
	}
	file, err := reserve(to)
	if err != nil {
		return err
	}
	partial := file.Name()
	defer func() {
		// Whatever happened, only the copy's final name remains.
		if removeErr := errors.Join(os.Remove(partial), file.Close()); err == nil && removeErr != nil {
			err = fmt.Errorf("remove partial backup: %w", removeErr)
		}
	}()
	if err := copySQLite(ctx, from, partial); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	forgetBlocks(file) // so that the disk is read, not what the kernel believes to be there
	if err := checkCopy(ctx, partial); err != nil {
		return err
	}
	if err := os.Link(partial, to); err != nil { // a rename would replace a file made meanwhile
		return fmt.Errorf("name the backup: %w", err)
	}
	return syncFolder(filepath.Dir(to))
}

// reserve creates an empty file next to to that only its owner may read: SQLite
// writes into an empty file. It is locked while it is in use.
func reserve(to string) (*os.File, error) {
	if _, err := os.Lstat(to); err == nil {
		return nil, fmt.Errorf("%s exists already", to)
	}
	for {
		f, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".partial-*")
		if err != nil {
			return nil, fmt.Errorf("make backup: %w", err)
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock backup: %w", err), os.Remove(f.Name()), f.Close())
		}
		if _, err := os.Lstat(f.Name()); err == nil {
			return f, nil
		}
		_ = f.Close() // somebody swept it before it was locked
	}
}

// noteFolder notes in the database where its backups are written, and returns where the one
// before was. It is for sweeping only: without it a backup is as good.
func noteFolder(ctx context.Context, from, folder string) (last string) {
	_ = onSQLite(from, "rw", func(db *sql.Conn) error {
		err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", metaBackups).Scan(&last)
		if err == nil && last == folder {
			return nil
		}
		_, err = db.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
			metaBackups, folder)
		return err
	})
	return last
}

// sweepBackups removes what killed backups have left where the last one was written. It
// waits until ctx ends at most: that folder may be on another machine, which hangs.
func (s *Store) sweepBackups(ctx context.Context) {
	if s.pools.wal == nil {
		return
	}
	var folder string
	err := s.view(ctx, s.pools.read, "read meta", func(c *conn) error {
		return c.one(ctx, "SELECT value FROM meta WHERE name = $1", []any{metaBackups}, &folder)
	})
	if err != nil {
		return // there was no backup
	}
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		sweepPartials(folder)
	}()
	select {
	case <-swept:
	case <-ctx.Done():
	}
}

// sweepPartials removes what killed backups have left in a folder. What it cannot remove
// does no harm but to take up room.
func sweepPartials(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		at := strings.LastIndex(e.Name(), ".partial-")
		if at < 0 || !e.Type().IsRegular() {
			continue
		}
		if _, err := strconv.ParseUint(e.Name()[at+len(".partial-"):], 10, 64); err != nil {
			continue
		}
		path := filepath.Join(dir, e.Name())
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if isSQLite(f) && syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil { // its backup has ended
			_ = errors.Join(os.Remove(path), os.RemoveAll(path+"-journal"))
		}
		_ = f.Close()
	}
}

// isSQLite reports whether a file is a database, or was to become one: others call theirs
// partial, too.
func isSQLite(f *os.File) bool {
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := f.ReadAt(head, 0)
	blank := bytes.Count(head[:n], []byte{0}) == n
	return (err == nil || errors.Is(err, io.EOF)) && (blank || string(head) == magic)
}

func copySQLite(ctx context.Context, from, partial string) error {
	err := onSQLite(from, "rw", func(db *sql.Conn) error {
		_, err := db.ExecContext(ctx, "VACUUM INTO ?", partial)
		return err
	})
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return nil
}

func checkCopy(ctx context.Context, partial string) error {
	var found string
	err := onSQLite(partial, "ro", func(db *sql.Conn) error {
		return db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found)
	})
	if err == nil && found != "ok" {
		err = errors.New(found)
	}
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	return nil
}

// onSQLite uses a database beside a node, or without one. It leaves the log where it is:
// after a disk failure only a node's start moves it safely.
func onSQLite(path, mode string, do func(*sql.Conn) error) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode="+mode+"&_pragma=busy_timeout(5000)&_pragma=wal_autocheckpoint(0)")
	if err != nil {
		return fmt.Errorf("open sqlite: %w", err)
	}
	c, err := db.Conn(context.Background())
	if err != nil {
		return errors.Join(fmt.Errorf("open sqlite: %w", err), db.Close())
	}
	return errors.Join(keepLog(c), do(c), c.Close(), db.Close())
}

// syncFolder flushes a folder's names to disk.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	return nil
}
