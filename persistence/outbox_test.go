package persistence_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestChangeWhileIndexed: a message that changes again while it is being indexed stays
// in the outbox.
func TestChangeWhileIndexed(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"SQLite": sqliteURL, "PostgreSQL": postgresURL} {
		t.Run(name, func(t *testing.T) {
			store := start(t, persistence.Config{URL: url(t)}, nobody{})
			rooms, people := persistencetest.Populate(t, store, 1, 1)
			svc, ann, l := persistencetest.Service(store), people[0][0], chat.Lease{Name: "index", Holder: "n"}
			if held, err := store.AcquireLease(t.Context(), l, time.Hour); !held || err != nil {
				t.Fatal(held, err)
			}
			sent := <-sendLater(store, message(rooms[0], ann, "k"))
			read, _, err := store.PendingIndex(t.Context(), l, 1000)
			if err != nil || sent.err != nil {
				t.Fatal(err, sent.err)
			}
			if _, _, err := svc.Edit(t.Context(), ann.ID, sent.sent.MessageID, "changed", 1); err != nil {
				t.Fatal(err)
			}
			if _, held, err := store.IndexDone(t.Context(), l, read); !held || err != nil {
				t.Fatal(held, err)
			}
			left, _, err := store.PendingIndex(t.Context(), l, 1000)
			if err != nil || len(left) != 1 || left[0].Message.Body != "changed" {
				t.Errorf("left: %+v, %v", left, err)
			}
		})
	}
}

// TestSearchBeginsWithTheMessages: how much a search reads from the database does not
// grow with the searcher's chats.
func TestSearchBeginsWithTheMessages(t *testing.T) {
	seen, databaseURL := &statements{}, sqliteURL(t)
	store := start(t, persistence.Config{URL: databaseURL}.WithTrace(seen.trace), nobody{})
	_, people := persistencetest.Populate(t, store, 1, 1)
	seen.next()
	if _, err := store.VisibleMessages(t.Context(), people[0][0].ID, []string{persistencetest.NewID()}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Unindexed(t.Context(), people[0][0].ID, 10); err != nil {
		t.Fatal(err)
	}
	db, looked := raw(t, databaseURL), 0
	for _, s := range seen.next() {
		if !strings.Contains(s.query, "chat_members cm") {
			continue
		}
		looked++
		if plan := planOf(t, db, s); !strings.Contains(plan, "SEARCH m USING INDEX idx_messages_id (id=?)") {
			t.Errorf("%s\n%s", s.query, plan)
		}
	}
	if looked != 2 {
		t.Errorf("looked at %d statements, want 2", looked)
	}
}

// planOf returns the steps in which SQLite would run a statement.
func planOf(t *testing.T, db *sql.DB, s statement) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.query, s.args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(step + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
