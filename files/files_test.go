package files_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/files"
	"fechatter/files/filestest"
)

func TestFolder(t *testing.T) {
	s, err := files.Open(t.Context(), "folder:"+filepath.Join(t.TempDir(), "a", "files"))
	if err != nil {
		t.Fatal(err)
	}
	filestest.Store(t, s)
}

// TestAddresses: what cannot be a store is refused, and no error shows a secret.
func TestAddresses(t *testing.T) {
	for _, address := range []string{"", "folder:", "data/files", "s3://", "s3://key:hush@host", "http://key:hush@host/bucket", "s3://key:hush@ho st/b"} {
		if _, err := files.Open(t.Context(), address); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", address, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Open(context.Background(), "folder:"+file); err == nil {
		t.Error("a file was taken for a folder")
	}
}
