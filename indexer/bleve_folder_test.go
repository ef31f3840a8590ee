package indexer

import (
	"errors"
	"syscall"
	"testing"
)

// A folder that was given back is free, even while a process that is being started
// still holds what was open.
func TestFolderIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	held, err := syscall.Dup(int(f.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(held) }()
	if _, err := openFolder(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("a folder in use: %v", err)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	again, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
}
