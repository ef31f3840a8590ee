package persistence_test

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// databases runs a test on an empty database of each kind.
func databases(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, sqliteURL(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgresURL(t)) })
}

// raw opens the database directly, without a store.
func raw(t testing.TB, databaseURL string) *sql.DB {
	t.Helper()
	driver, name := "pgx", databaseURL
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execRaw(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for something that another process or goroutine does.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !done() {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-deadline:
			t.Fatalf("still not: %s", what)
		}
	}
}

// hold keeps a transaction of a chat open until release is called, with the lock of
// the chat and, on SQLite, the connection that writes.
func hold(t testing.TB, store *persistence.Store, chatID string, do func(context.Context, chat.Tx) error) (release func()) {
	t.Helper()
	locked, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- store.Change(context.Background(), chat.Change{OpID: persistencetest.NewID(), ChatID: chatID},
			func(ctx context.Context, tx chat.Tx) error {
				var err error
				if do != nil {
					err = do(ctx, tx)
				}
				close(locked)
				<-free
				return err
			})
	}()
	select {
	case <-locked:
	case err := <-done:
		t.Fatal("the transaction to hold ended: ", err)
	}
	return func() {
		close(free)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

type answer struct {
	sent chat.Sent
	err  error
}

// sendLater sends in the background.
func sendLater(store *persistence.Store, m chat.Send) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		sent, err := persistencetest.Service(store).Send(context.Background(), m)
		out <- answer{sent, err}
	}()
	return out
}

func message(c chat.Chat, u chat.User, key string) chat.Send {
	return chat.Send{ChatID: c.ID, SenderID: u.ID, Key: key, Body: "hello"}
}

// holdGroups stops the batcher with one send in a group: what is sent before release is
// called becomes the next group.
func holdGroups(t testing.TB, store *persistence.Store, m chat.Send) (release func(), occupied <-chan answer) {
	t.Helper()
	release, err := store.HoldBatches(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	occupied = sendLater(store, m)
	eventually(t, "the batcher waits for the database", func() bool {
		s := store.Stats()
		return s.Queued == 0 && s.Waiting == 1
	})
	return release, occupied
}

// queued waits until n sends wait for the next group.
func queued(t testing.TB, store *persistence.Store, n int) {
	t.Helper()
	eventually(t, "the sends are queued", func() bool { return store.Stats().Queued == n })
}
