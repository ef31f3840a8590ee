package persistence_test

import (
	"context"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestPanicInsideATransaction: nothing of the transaction is stored, and its
// connection is not reused with the transaction open.
func TestPanicInsideATransaction(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL, AcquireTimeout: 10 * time.Second}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 2)
		c, ann := rooms[0], people[0][0]
		for range 20 { // more than there are connections
			panics(t, func() {
				_ = store.Change(t.Context(), chat.Change{ChatID: c.ID, OpID: persistencetest.NewID()},
					func(ctx context.Context, tx chat.Tx) error {
						if err := tx.DeleteMember(ctx, people[0][1].ID); err != nil {
							t.Error(err)
						}
						panic("a rule went wrong")
					})
			})
		}
		if _, err := persistencetest.Service(store).UpdateChat(t.Context(), ann.ID, c.ID, chat.ChatChange{Name: new("x")}); err != nil {
			t.Errorf("the next change: %v", err)
		}
		e, err := store.Entry(t.Context(), ann.ID, c.ID)
		if err != nil || e.MemberCount != 2 {
			t.Errorf("%d members, %v, want 2", e.MemberCount, err)
		}
		for range 20 {
			panics(t, func() { store.PanicInView(t.Context()) })
		}
		if _, err := store.Entry(t.Context(), ann.ID, c.ID); err != nil {
			t.Errorf("the next read: %v", err)
		}
	})
}

func panics(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}
