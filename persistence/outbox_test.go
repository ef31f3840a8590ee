package persistence_test

import (
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestChangeWhileIndexed: what changed once more while it was on its way into the
// index stays in the outbox.
func TestChangeWhileIndexed(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"SQLite": sqliteURL, "PostgreSQL": postgresURL} {
		t.Run(name, func(t *testing.T) {
			store := start(t, persistence.Config{URL: url(t)}, nobody{})
			rooms, people := persistencetest.Populate(t, store, 1, 1)
			svc, ann, l := persistencetest.Service(store), people[0][0], chat.Lease{Name: "index", Holder: "n"}
			if held, err := store.TakeLease(t.Context(), l, time.Minute); !held || err != nil {
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
			if err := store.IndexDone(t.Context(), read); err != nil {
				t.Fatal(err)
			}
			left, _, err := store.PendingIndex(t.Context(), l, 1000)
			if err != nil || len(left) != 1 || left[0].Message.Body != "changed" {
				t.Errorf("left: %+v, %v", left, err)
			}
		})
	}
}
