package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolderIsLockedOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "node")
	first, err := lockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data folder: %v, %v; want mode 0700", info.Mode(), err)
	}
	if _, err := lockFolder(dir); err == nil || !strings.Contains(err.Error(), "another node already uses") {
		t.Errorf("second lock: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockFolder(dir)
	if err != nil {
		t.Fatalf("lock after its release: %v", err)
	}
	defer again.Close()
}
