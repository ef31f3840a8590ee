package persistence_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

func asError(err error, e **chat.Error) bool { return errors.As(err, e) }

// unavailable fails unless err reports the database as unavailable, in our own words.
func unavailable(t *testing.T, what string, err error) {
	t.Helper()
	var e *chat.Error
	if !asError(err, &e) || e.Code != chat.Unavailable || e.RetryAfter <= 0 {
		t.Errorf("%s: %v, want unavailable with a time to wait", what, err)
		return
	}
	if !strings.HasPrefix(e.Detail, "the database ") {
		t.Errorf("%s: the detail is %q", what, e.Detail)
	}
}

// TestDatabaseThatRefusesWrites: while the database is full or read-only, reads work
// and writes are refused; afterwards everything works again, and no seq is missing.
func TestDatabaseThatRefusesWrites(t *testing.T) {
	for name, set := range map[string]struct{ broken, repaired string }{
		"full":      {"PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1073741823"},
		"read-only": {"PRAGMA query_only = 1", "PRAGMA query_only = 0"},
	} {
		t.Run(name, func(t *testing.T) {
			store := start(t, persistence.Config{URL: sqliteURL(t)}, nobody{})
			rooms, people := persistencetest.Populate(t, store, 1, 2)
			c, ann, bob := rooms[0], people[0][0], people[0][1]
			svc := persistencetest.Service(store)
			big := strings.Repeat("x", 16_000) // needs pages that a full database does not have
			if err := store.OnWriter(t.Context(), set.broken); err != nil {
				t.Fatal(err)
			}
			_, err := svc.Send(t.Context(), chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: "k", Body: big})
			unavailable(t, "send", err)
			// The failed connection has been replaced; break the new one, too.
			if err := store.OnWriter(t.Context(), set.broken); err != nil {
				t.Fatal(err)
			}
			_, err = svc.UpdateChat(t.Context(), ann.ID, c.ID, chat.ChatChange{Topic: new(strings.Repeat("é", 1000)), Name: new("x")})
			if name == "read-only" || err != nil {
				unavailable(t, "change", err)
			}
			if err := store.OnWriter(t.Context(), set.broken); err != nil {
				t.Fatal(err)
			}
			if name == "read-only" {
				_, err = store.WriteCanary(t.Context(), "node")
				unavailable(t, "canary", err)
			}
			if err := store.Ping(t.Context()); err != nil {
				t.Errorf("ping: %v", err)
			}
			before, err := store.Entry(t.Context(), bob.ID, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := store.OnWriter(t.Context(), set.repaired); err != nil {
				t.Fatal(err)
			}
			sent, err := svc.Send(t.Context(), chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: "k", Body: big})
			if err != nil || sent.Seq != before.LastSeq+1 || sent.Replayed {
				t.Errorf("after the repair: %+v, %v, want seq %d", sent, err, before.LastSeq+1)
			}
		})
	}
}

// TestBusyDatabase: another process holds the lock for longer than the store waits.
func TestBusyDatabase(t *testing.T) {
	databaseURL := sqliteURL(t)
	store := start(t, persistence.Config{URL: databaseURL, LockTimeout: 10 * time.Millisecond}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	other, err := raw(t, databaseURL).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	a := <-sendLater(store, message(rooms[0], people[0][0], "k"))
	unavailable(t, "send", a.err)
	_, err = persistencetest.Service(store).React(t.Context(), people[0][0].ID, persistencetest.NewID(), "👍")
	if chat.CodeOf(err) != chat.NotFound {
		t.Errorf("a read during the lock: %v, want not_found", err)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if a := <-sendLater(store, message(rooms[0], people[0][0], "k")); a.err != nil {
		t.Error(a.err)
	}
}

// TestLostConnections: the server has ended every connection. No caller notices,
// reader or writer, however many come at once, because fresh connections work.
func TestLostConnections(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, persistence.Config{URL: databaseURL, Connections: 4}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 4, 2)
	svc, db := persistencetest.Service(store), raw(t, databaseURL)
	for round := range 3 {
		var all sync.WaitGroup
		for i, c := range rooms {
			ann := people[i][0]
			for what, call := range map[string]func() error{
				"send": func() error { return (<-sendLater(store, message(c, ann, fmt.Sprint("k", round)))).err },
				"change": func() error {
					_, err := svc.UpdateChat(t.Context(), ann.ID, c.ID, chat.ChatChange{Topic: new(fmt.Sprint(round))})
					return err
				},
				"update": func() error {
					return store.SavePassword(t.Context(), ann.ID, "a good password", "a good password", "", nil)
				},
				"list":   func() error { _, err := store.Entry(t.Context(), ann.ID, c.ID); return err },
				"read":   func() error { _, err := store.User(t.Context(), ann.ID); return err },
				"replay": func() error { _, err := store.StreamEvents(t.Context(), c.ID, 0, 10); return err },
				"ping":   func() error { return store.Ping(t.Context()) },
				"canary": func() error { _, err := store.WriteCanary(t.Context(), "node"); return err },
			} {
				all.Go(func() {
					if err := call(); err != nil {
						t.Errorf("%s in round %d: %v", what, round, err)
					}
				})
			}
		}
		all.Wait()
		others := " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
		execRaw(t, db, "SELECT pg_terminate_backend(pid)"+others)
		eventually(t, "the connections are gone", func() bool {
			var left int
			return db.QueryRowContext(t.Context(), "SELECT count(*)"+others).Scan(&left) == nil && left == 0
		})
	}
	for _, c := range rooms {
		events, err := store.StreamEvents(t.Context(), c.ID, 0, 100)
		if err != nil || len(events) != 3+3+3 {
			t.Errorf("%d events, %v, want 9", len(events), err)
		}
	}
}
