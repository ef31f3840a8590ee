package persistence_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// reading opens a transaction that reads the database in path until end is called, as a
// backup does.
func reading(t *testing.T, path string) (end func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(context.Background(), nil)
	if err == nil {
		err = tx.QueryRow("SELECT count(*) FROM users").Scan(new(int))
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = tx.Rollback()
		_ = db.Close()
	}
}

// TestStartBesideReaders: the disk failed under the log, the process ended, and a backup
// that reads keeps the next one from moving the log. Nothing is acknowledged on top of what
// may not be on the disk until the backup is done; a sound log is gone on with at once.
func TestStartBesideReaders(t *testing.T) {
	for name, fails := range map[string]bool{"the disk failed": true, "the log is sound": false} {
		t.Run(name, func(t *testing.T) {
			var failing atomic.Bool
			path := diskPath(t)
			d := newDisk(t, path, func(file string) bool { return failing.Load() && file == "-wal" })
			cfg := patient(d.use(persistence.Config{URL: "sqlite:" + path, LockTimeout: 50 * time.Millisecond}))
			store, err := persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet())
			if err != nil {
				t.Fatal(err)
			}
			rooms, people := persistencetest.Populate(t, store, 1, 2)
			failing.Store(fails)
			if _, err := store.WriteCanary(t.Context(), "node"); (err != nil) != fails {
				t.Fatalf("the canary: %v", err)
			}
			failing.Store(false)
			end := reading(t, path)
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			store, err = persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			send := func(key string) (chat.Sent, error) {
				return store.SendAlone(t.Context(), message(rooms[0], people[0][0], key))
			}
			if sent, err := send("beside"); (err != nil) != fails {
				t.Fatalf("beside readers: %+v, %v", sent, err)
			}
			end()
			if err := store.Tend(t.Context()); err != nil {
				t.Fatalf("without readers: %v", err)
			}
			sent, err := send("after")
			if err != nil {
				t.Fatal(err)
			}
			back := start(t, persistence.Config{URL: d.cut(t)}, nobody{})
			if got := storedKeys(t, back, rooms[0].ID); got["after"] != sent.Seq {
				t.Errorf("after a power cut: %v, want %d", got, sent.Seq)
			}
		})
	}
}

// TestDiskFailsBesideAReader: a backup reads an old state, so that checkpoints get only as far
// as that, do not sync what they move, and move it no more. That the disk did not take it
// costs nothing.
func TestDiskFailsBesideAReader(t *testing.T) {
	var failing atomic.Value // the file of which a sync fails
	failing.Store("none")
	path := diskPath(t)
	d := newDisk(t, path, func(file string) bool { return failing.Load() == file })
	cfg := patient(d.use(persistence.Config{URL: "sqlite:" + path, LockTimeout: 50 * time.Millisecond}))
	store, err := persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	acked := map[string]int64{}
	send := func(n int) {
		t.Helper()
		for range n {
			key := fmt.Sprint("k", len(acked))
			sent, err := store.SendAlone(t.Context(), message(rooms[0], people[0][0], key))
			if err != nil {
				t.Fatal(err)
			}
			acked[key] = sent.Seq
		}
	}
	send(40)
	end := reading(t, path)
	send(40)
	failing.Store("-wal")
	if _, err := store.WriteCanary(t.Context(), "node"); err == nil {
		t.Fatal("the canary lives")
	}
	failing.Store("") // the log can be read, and the database not be written
	for range 3 {
		if store.Tend(t.Context()) == nil {
			t.Fatal("the disk is trusted")
		}
	}
	failing.Store("none")
	if store.Tend(t.Context()) == nil {
		t.Fatal("trusted although the backup is in the way")
	}
	end()
	if err := store.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(10)
	stored := storedKeys(t, start(t, persistence.Config{URL: d.cut(t)}, nobody{}), rooms[0].ID)
	for key, seq := range acked {
		if stored[key] != seq {
			t.Errorf("%s was acknowledged with seq %d and is stored at %d", key, seq, stored[key])
		}
	}
}

// TestDiskFailureBehindALink: a database reached by a link mends like any other.
func TestDiskFailureBehindALink(t *testing.T) {
	var failing atomic.Bool
	path := diskPath(t)
	d := newDisk(t, path, func(file string) bool { return failing.Load() && file == "-wal" })
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	cfg := patient(d.use(persistence.Config{URL: "sqlite:" + link}))
	store, err := persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	failing.Store(true)
	if _, err := store.WriteCanary(t.Context(), "node"); err == nil {
		t.Fatal("the canary lives")
	}
	failing.Store(false)
	if err := store.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.WriteCanary(t.Context(), "node"); err != nil {
		t.Error(err)
	}
}
