package files_test

import (
	"cmp"
	"context"
	"errors"
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

func TestS3(t *testing.T) {
	s, err := files.Open(t.Context(), filestest.StartS3(t))
	if err != nil {
		t.Fatal(err)
	}
	filestest.Store(t, s)
}

// TestClaim: of two nodes with a folder each, the second is refused, and leaves its folder as it
// was.
func TestClaim(t *testing.T) {
	open := func() files.Store {
		s, err := files.Open(t.Context(), "folder:"+t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	next := 0
	newID := func() string { next++; return "mark-" + strings.Repeat("x", next) }
	shared, private := open(), open()
	var database, another marks
	for range 2 {
		if _, err := files.Claim(t.Context(), shared, &database, newID, false); err != nil {
			t.Error(err)
		}
		if _, err := files.Claim(t.Context(), private, &database, newID, false); !errors.Is(err, files.ErrForeign) {
			t.Errorf("a folder of its own: %v", err)
		}
	}
	if _, err := files.Claim(t.Context(), private, &another, newID, true); err != nil {
		t.Errorf("it cannot be another's: %v", err)
	}
	if _, err := files.Claim(t.Context(), private, &database, newID, true); !errors.Is(err, files.ErrForeign) {
		t.Errorf("another's folder: %v", err)
	}
	restored := open()
	for _, want := range []bool{true, false} {
		if instead, err := files.Claim(t.Context(), restored, &database, newID, true); err != nil || instead != want {
			t.Errorf("an empty folder after a restore: %v, %v", instead, err)
		}
	}
}

// marks is a database.
type marks struct{ kept string }

func (m *marks) MarkFiles(_ context.Context, mark string) (string, error) {
	m.kept = cmp.Or(m.kept, mark)
	return m.kept, nil
}
