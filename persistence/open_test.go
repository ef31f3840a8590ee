package persistence_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

func open(t testing.TB, databaseURL string) (*persistence.Store, error) {
	return persistence.Open(context.Background(), persistence.Config{URL: databaseURL}, nobody{}, persistencetest.NewID, quiet())
}

// TestReopen: what was stored is there again, with the same secret and epoch.
func TestReopen(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 2)
		sent := <-sendLater(store, message(rooms[0], people[0][0], "k"))
		epoch, _, err := store.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		again := start(t, persistence.Config{URL: databaseURL}, nobody{})
		if string(again.Secret()) != string(store.Secret()) {
			t.Error("another secret")
		}
		if e, _, err := again.Epoch(t.Context()); e != epoch || err != nil {
			t.Errorf("epoch %s, %v, want %s", e, err, epoch)
		}
		replayed := <-sendLater(again, message(rooms[0], people[0][0], "k"))
		if replayed.err != nil || !replayed.sent.Replayed || replayed.sent.MessageID != sent.sent.MessageID {
			t.Errorf("the key on another node: %+v, %v", replayed.sent, replayed.err)
		}
	})
}

// TestMigrateTogether: nodes that start at the same time agree on one schema.
func TestMigrateTogether(t *testing.T) {
	databaseURL := postgresURL(t)
	var all sync.WaitGroup
	secrets := make(chan string, 4)
	for range 4 {
		all.Go(func() {
			store, err := open(t, databaseURL)
			if err != nil {
				t.Error(err)
				return
			}
			secrets <- string(store.Secret())
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(secrets)
	first := <-secrets
	for secret := range secrets {
		if secret != first || first == "" {
			t.Error("the nodes have different secrets")
		}
	}
	var fill string
	err := raw(t, databaseURL).QueryRowContext(t.Context(), "SELECT reloptions::text FROM pg_class WHERE relname = 'streams'").Scan(&fill)
	if err != nil || fill != "{fillfactor=50}" {
		t.Errorf("streams has %s, %v", fill, err)
	}
}

// TestSchemaAhead: one release ahead is worked with, two are refused.
func TestSchemaAhead(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store, err := open(t, databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		db := raw(t, databaseURL)
		applied := "1"
		if !strings.HasPrefix(databaseURL, "sqlite:") {
			applied = "true"
		}
		execRaw(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (201, "+applied+")")
		if store, err = open(t, databaseURL); err != nil {
			t.Fatalf("one release ahead: %v", err)
		}
		store.Close()
		execRaw(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (301, "+applied+")")
		if _, err = open(t, databaseURL); err == nil || !strings.Contains(err.Error(), "release 3") {
			t.Errorf("two releases ahead: %v", err)
		}
	})
}

// TestRefusedDatabases: addresses that lead nowhere, and servers that would lose
// what was acknowledged. No error shows a password.
func TestRefusedDatabases(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, u := range map[string]string{
		"nothing": "", "another kind": "mysql://root:secret@127.0.0.1/x", "no path": "sqlite:", "in memory": "sqlite::memory:",
		"no database": "sqlite:" + file, "a folder that is a file": "sqlite:" + file + "/x.db",
		"nobody listens": "postgres://root:secret@127.0.0.1:1/x", "no address": "postgres://root:secret@127.0.0.1:port/x",
	} {
		if _, err := open(t, u); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	lossy := postgresURL(t) + "&options=" + url.QueryEscape("-c synchronous_commit=off")
	if _, err := open(t, lossy); err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("synchronous_commit=off: %v", err)
	}
}

// TestCloseIsBounded: a connection that does not come back holds the end of the
// process for a while only.
func TestCloseIsBounded(t *testing.T) {
	store, err := persistence.Open(t.Context(), persistence.Config{URL: sqliteURL(t), AcquireTimeout: 50 * time.Millisecond},
		nobody{}, persistencetest.NewID, quiet())
	if err != nil {
		t.Fatal(err)
	}
	release, err := store.HoldBatches(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	closed := make(chan error, 1)
	go func() { closed <- store.Close() }()
	select {
	case err := <-closed:
		if err == nil || !strings.Contains(err.Error(), "still in use") {
			t.Errorf("closed with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for ever")
	}
}

// TestTheFileIsItsOwners: others on the machine cannot read what was said, whatever
// folder the file is in.
func TestTheFileIsItsOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chat.db")
	start(t, persistence.Config{URL: "sqlite:" + path}, nobody{})
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v", filepath.Base(name), info.Mode())
		}
	}
}
