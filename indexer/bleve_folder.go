package indexer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrInUse means that another process has locked the folder of an index.
var ErrInUse = errors.New("the search index is in use by another process")

const (
	lockFile    = "lock"
	currentFile = "current"
	indexPrefix = "index-"
)

// folder holds indexes, one of which is current. Only one process has it locked.
//
//	lock       locked while the process lives
//	current    version and name of the current index
//	index-7    an index; any except the current one is a leftover
type folder struct {
	dir  string
	lock *os.File
	next int // number of the next index
}

// openFolder creates dir if necessary and locks it, or fails with ErrInUse.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make index folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open index lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, ErrInUse)
		}
		return nil, fmt.Errorf("lock index folder: %w", err)
	}
	return &folder{dir: dir, lock: lock, next: 1}, nil
}

// close unlocks explicitly: a process that is being started holds duplicates of all
// open files until it executes its program.
func (f *folder) close() error {
	return errors.Join(syscall.Flock(int(f.lock.Fd()), syscall.LOCK_UN), f.lock.Close())
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// fresh returns an unused name for an index.
func (f *folder) fresh() string {
	name := indexPrefix + strconv.Itoa(f.next)
	f.next++
	return name
}

// current returns the name of the current index, "" if there is none of this
// version.
func (f *folder) current() (string, error) {
	text, err := os.ReadFile(f.path(currentFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read current index: %w", err)
	}
	name, ok := strings.CutPrefix(string(text), stamp())
	if !ok || !isIndex(strings.TrimSuffix(name, "\n")) {
		return "", nil
	}
	return strings.TrimSuffix(name, "\n"), nil
}

func stamp() string { return fmt.Sprintf("bleve %d ", bleveVersion) }

func isIndex(name string) bool {
	number, ok := strings.CutPrefix(name, indexPrefix)
	n, err := strconv.Atoi(number)
	return ok && err == nil && n > 0
}

// makeCurrent makes an index the current one. After a crash it is either that or
// the previous one.
func (f *folder) makeCurrent(name string) error {
	temporary := f.path(currentFile + ".new")
	if err := writeSynced(temporary, stamp()+name+"\n"); err != nil {
		return fmt.Errorf("write current index: %w", err)
	}
	if err := os.Rename(temporary, f.path(currentFile)); err != nil {
		return fmt.Errorf("write current index: %w", err)
	}
	return f.sync()
}

func writeSynced(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}

func (f *folder) sync() error {
	d, err := os.Open(f.dir)
	if err != nil {
		return fmt.Errorf("sync index folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync index folder: %w", err)
	}
	return nil
}

// sweep removes all indexes except one, and nothing else.
func (f *folder) sweep(keep string) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("list indexes: %w", err)
	}
	var failed error
	for _, e := range entries {
		if !isIndex(e.Name()) {
			continue
		}
		n, _ := strconv.Atoi(strings.TrimPrefix(e.Name(), indexPrefix))
		f.next = max(f.next, n+1)
		if e.Name() != keep {
			failed = errors.Join(failed, f.remove(e.Name()))
		}
	}
	return failed
}

func (f *folder) remove(name string) error {
	if err := os.RemoveAll(f.path(name)); err != nil {
		return fmt.Errorf("remove index: %w", err)
	}
	return nil
}
