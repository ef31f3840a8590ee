package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const lockName = "fechatter.lock"

var errFolderTaken = errors.New("another node already uses the folder")

// lockFolder makes dir, open to its owner alone, and takes it for this process,
// so that two nodes cannot share embedded parts. The lock ends with the process,
// however that ends; closing the file gives it back.
func lockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
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
