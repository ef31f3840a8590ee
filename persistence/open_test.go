package persistence_test

import (
	"context"
	"errors"
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
	return persistence.Open(context.Background(), patient(persistence.Config{URL: databaseURL}), nobody{}, persistencetest.NewID, quiet())
}

// TestReopen: what was stored is still there, with the same secret and epoch.
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
			t.Error("the secret has changed")
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
	databaseURL, err := postgresServer(t).Database(t.Context()) // without a schema
	if err != nil {
		t.Fatal(err)
	}
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
	err = raw(t, databaseURL).QueryRowContext(t.Context(), "SELECT reloptions::text FROM pg_class WHERE relname = 'streams'").Scan(&fill)
	if err != nil || fill != "{fillfactor=50}" {
		t.Errorf("streams has %s, %v", fill, err)
	}
}

// TestSchemaAhead: a schema one release ahead works, two ahead is refused.
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

// TestRefusedDatabases: URLs that lead nowhere, and servers that would lose what was
// acknowledged. No error shows a password.
func TestRefusedDatabases(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
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

// TestCloseIsBounded: a connection that is never returned delays the end of the
// process for a bounded time only.
func TestCloseIsBounded(t *testing.T) {
	store, err := persistence.Open(t.Context(), persistence.Config{URL: sqliteURL(t), AcquireTimeout: 500 * time.Millisecond},
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
			t.Errorf("closed with %v, want a connection still in use", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Close waits for ever")
	}
}

// TestOneFileIsOpenedAloneOnce: by its own name, a symbolic link or a hard link. Tools may
// open it beside a node.
func TestOneFileIsOpenedAloneOnce(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	path := filepath.Join(folder, "chat.db")
	cfg := patient(persistence.Config{URL: "sqlite:" + path, Alone: true})
	open := func(cfg persistence.Config) (*persistence.Store, error) {
		return persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet())
	}
	store, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	symbolic, hard := filepath.Join(elsewhere, "symbolic.db"), filepath.Join(elsewhere, "hard.db")
	linked := filepath.Join(elsewhere, "folder")
	if err := errors.Join(os.Symlink(path, symbolic), os.Link(path, hard), os.Symlink(folder, linked)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, symbolic, hard, filepath.Join(linked, "chat.db")} {
		cfg.URL = "sqlite:" + name
		if _, err := open(cfg); err == nil || !strings.Contains(err.Error(), "another node already uses the file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg.URL, cfg.Alone = "sqlite:"+symbolic, false
	tool, err := open(cfg)
	if err != nil {
		t.Fatalf("a tool: %v", err)
	}
	if err := errors.Join(tool.Close(), store.Close()); err != nil {
		t.Fatal(err)
	}
	cfg.Alone = true
	if store, err = open(cfg); err != nil {
		t.Fatalf("after the node has ended: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// TestOnlyTheOwnerReadsTheFile: other users of the machine cannot read what was said,
// whatever folder the file is in.
func TestOnlyTheOwnerReadsTheFile(t *testing.T) {
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
