package persistence_test

import (
	"context"
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

// server is the PostgreSQL of this run, started by the first test that asks.
var server struct {
	once sync.Once
	*postgrestest.Server
	err error
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

// postgresURL gives an empty database of the private server.
func postgresURL(t testing.TB) string {
	t.Helper()
	server.once.Do(func() { server.Server, server.err = postgrestest.Start(context.Background()) })
	if server.err != nil && os.Getenv("CI") != "true" {
		t.Skip("PostgreSQL is not tested: ", server.err)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	u, err := server.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func sqliteURL(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "a folder?", "chat #1.db")
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// start opens a store and runs it until the test ends.
func start(t testing.TB, cfg persistence.Config, publisher chat.Publisher) *persistence.Store {
	t.Helper()
	store, err := persistence.Open(context.Background(), cfg, publisher, persistencetest.NewID, quiet())
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
		case <-time.After(30 * time.Second):
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
