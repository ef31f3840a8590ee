package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const lockName = "fechatter.lock"

var errFolderTaken = errors.New("another node already uses the folder")

// databaseThere is for commands that work on existing data: a mistyped setting must
// not make them create an empty database and report success.
func databaseThere(database string) error {
	if scheme(database) != "sqlite" {
		return nil // opening it reports the error
	}
	_, err := os.Stat(sqliteFile(database))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database %s", sqliteFile(database))
	}
	if err != nil {
		return fmt.Errorf("find database: %w", err)
	}
	return nil
}

// lockFolder creates dir, accessible only to its owner, and locks it for this process,
// so that two nodes cannot share embedded parts. The lock ends with the process in
// any case; closing the file releases it.
func lockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w %s; stop it, or give this one a database of its own", errFolderTaken, dir)
	}
	return nil, fmt.Errorf("lock data folder: %w", err)
}
