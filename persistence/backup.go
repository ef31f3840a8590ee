package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// BackUpSQLite writes a copy of the database in the file from, as it is at one
// moment, to the file to, while a node may go on writing. The copy is read back
// and on disk when this returns nil, and appears under its name only then. It is
// an error when from is missing or to exists.
func BackUpSQLite(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("find the database: %w", err)
	}
	partial, err := reserve(to)
	if err != nil {
		return err
	}
	defer func() {
		// Whatever became of it, only the name of the copy is kept.
		if removeErr := os.Remove(partial); err == nil && removeErr != nil {
			err = fmt.Errorf("remove partial backup: %w", removeErr)
		}
	}()
	if err := copySQLite(ctx, from, partial); err != nil {
		return err
	}
	if err := checkCopy(ctx, partial); err != nil {
		return err
	}
	if err := syncFile(partial); err != nil {
		return err
	}
	if err := os.Link(partial, to); err != nil { // a rename would replace what has come meanwhile
		return fmt.Errorf("name the backup: %w", err)
	}
	return syncFile(filepath.Dir(to))
}

// reserve makes an empty file beside to that only its owner may read. SQLite
// writes into an empty file.
func reserve(to string) (string, error) {
	if _, err := os.Lstat(to); err == nil {
		return "", fmt.Errorf("%s is there already", to)
	}
	f, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".partial-*")
	if err != nil {
		return "", fmt.Errorf("make backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return "", errors.Join(fmt.Errorf("make backup: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func copySQLite(ctx context.Context, from, partial string) error {
	err := onSQLite(from, "rw", func(db *sql.DB) error {
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
	err := onSQLite(partial, "ro", func(db *sql.DB) error {
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

func onSQLite(path, mode string, do func(*sql.DB) error) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode="+mode+"&_pragma=busy_timeout(5000)")
	if err != nil {
		return fmt.Errorf("open sqlite: %w", err)
	}
	return errors.Join(do(db), db.Close())
}

// syncFile has a file's content, or a folder's names, on disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	return nil
}
