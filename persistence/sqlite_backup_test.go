package persistence_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fechatter/persistence"
)

// TestKilledBackupsAreSwept: the next backup into a folder, and a start in it, remove what
// killed backups have left there, whatever their names, and nothing else.
func TestKilledBackupsAreSwept(t *testing.T) {
	from := strings.TrimPrefix(sqliteURL(t), "sqlite:")
	start(t, persistence.Config{URL: "sqlite:" + from}, nobody{})
	for name, next := range map[string]func(dir string) error{
		"backup": func(dir string) error {
			return persistence.BackUpSQLite(t.Context(), from, filepath.Join(dir, "today.db"))
		},
		"start": func(dir string) error {
			store, err := open(t, "sqlite:"+filepath.Join(dir, "today.db"))
			if err == nil {
				err = store.Close()
			}
			return err
		},
	} {
		dir := t.TempDir()
		kept := []string{"at-work.db.partial-77", "film.partial-9", "mine.partial-x", "yesterday.db"}
		for _, file := range append(kept, "yesterday.db.partial-123", "today.db.partial-4567890123", "empty.partial-1") {
			content := map[string]string{"film.partial-9": "half", "empty.partial-1": ""}
			half, ok := content[file]
			if !ok {
				half = "SQLite format 3\x00half"
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(half), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		running, err := os.Open(filepath.Join(dir, kept[0]))
		if err != nil {
			t.Fatal(err)
		}
		defer running.Close()
		if err := syscall.Flock(int(running.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		if err := next(dir); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, e := range entries {
			left = append(left, e.Name())
		}
		want := append(kept, "today.db")
		slices.Sort(want)
		if !slices.Equal(left, want) {
			t.Errorf("%s: left %v, want %v", name, left, want)
		}
	}
}

// TestKilledBackupElsewhereIsSwept: a start, and a backup to another folder, remove what is
// left where the last backup was written.
func TestKilledBackupElsewhereIsSwept(t *testing.T) {
	url := sqliteURL(t)
	from := strings.TrimPrefix(url, "sqlite:")
	store, err := open(t, url)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	first, second := t.TempDir(), t.TempDir()
	backUp := func(dir, name string) {
		t.Helper()
		if err := persistence.BackUpSQLite(t.Context(), from, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	leave := func(dir string) (gone func() bool) {
		file := filepath.Join(dir, "chat.db.partial-1")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return func() bool {
			_, err := os.Stat(file)
			return os.IsNotExist(err)
		}
	}
	backUp(first, "one.db")
	gone := leave(first)
	backUp(second, "two.db")
	if !gone() {
		t.Error("a backup to another folder left it")
	}
	gone = leave(second)
	start(t, persistence.Config{URL: url}, nobody{})
	eventually(t, "swept by a start", gone)
}
