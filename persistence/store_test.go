package persistence_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
	"fechatter/persistence/postgrestest"
)

// server is the PostgreSQL of this run, started by the first test that asks for it.
var server struct {
	once sync.Once
	*postgrestest.Server
	migrated string // a database that has the schema and no history yet
	err      error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.Server != nil {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// postgresServer returns the private server. A test that breaks it repairs it, and runs
// alone: only the parts of TestPostgres run in parallel.
func postgresServer(t testing.TB) *postgrestest.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves PostgreSQL out")
	}
	server.once.Do(func() { server.err = startServer(t) })
	if server.err != nil && os.Getenv("CI") != "true" {
		t.Skip("PostgreSQL is not tested: ", server.err)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	return server.Server
}

func startServer(t testing.TB) (err error) {
	ctx, begin := context.Background(), postgrestest.Start
	if measures(t) {
		begin = postgrestest.StartOnDisk
	}
	if server.Server, err = begin(ctx); err != nil {
		return err
	}
	if server.migrated, err = server.Database(ctx); err != nil {
		return err
	}
	if err := persistence.Migrate(ctx, persistence.Config{URL: server.migrated}, persistencetest.NewID, quiet()); err != nil {
		return err
	}
	db, err := sql.Open("pgx", server.migrated)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DELETE FROM meta WHERE name IN ('epoch', 'secret', 'bus')")
	return errors.Join(err, db.Close())
}

func measures(t testing.TB) bool {
	_, is := t.(*testing.B)
	return is
}

// postgresURL returns an empty database of the private server.
func postgresURL(t testing.TB) string {
	t.Helper()
	u, err := postgresServer(t).Copy(t.Context(), server.migrated)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// sqliteURL returns an empty database, which for tests is in memory if possible: fsync
// costs nothing there.
func sqliteURL(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	if memory := postgrestest.Folder(); memory != "" && !measures(t) {
		var err error
		if folder, err = os.MkdirTemp(memory, "fechatter-sqlite-"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.RemoveAll(folder); err != nil {
				t.Error(err)
			}
		})
	}
	return "sqlite:" + filepath.Join(folder, "a folder?", "chat #1.db")
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// patient allows a busy machine a minute, unless the test sets another limit.
func patient(cfg persistence.Config) persistence.Config {
	cfg.ConnectTimeout = cmp.Or(cfg.ConnectTimeout, time.Minute)
	cfg.AcquireTimeout = cmp.Or(cfg.AcquireTimeout, time.Minute)
	cfg.LockTimeout = cmp.Or(cfg.LockTimeout, time.Minute)
	cfg.StatementTimeout = cmp.Or(cfg.StatementTimeout, time.Minute)
	return cfg
}

// start opens a store and runs it until the test ends.
func start(t testing.TB, cfg persistence.Config, publisher chat.Publisher) *persistence.Store {
	t.Helper()
	store, err := persistence.Open(context.Background(), patient(cfg), publisher, persistencetest.NewID, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- store.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ran:
			if err := errors.Join(err, store.Close()); err != nil {
				t.Error(err)
			}
		case <-time.After(2 * time.Minute):
			t.Error("Run does not return")
		}
	})
	return store
}

func TestSQLite(t *testing.T) {
	persistencetest.Run(t, func(t testing.TB, publisher chat.Publisher) *persistence.Store {
		return start(t, persistence.Config{URL: sqliteURL(t), CursorsEvery: time.Millisecond}, publisher)
	})
}

func TestPostgres(t *testing.T) {
	persistencetest.Run(t, func(t testing.TB, publisher chat.Publisher) *persistence.Store {
		return start(t, persistence.Config{URL: postgresURL(t), Connections: 4, CursorsEvery: time.Millisecond}, publisher)
	})
}
