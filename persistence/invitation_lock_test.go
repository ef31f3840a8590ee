package persistence_test

import (
	"context"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestInvitersTakeTurns: somebody makes two invitations at once and may have one. Whoever comes
// second counts after the first is stored, however long that takes.
func TestInvitersTakeTurns(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, persistence.Config{URL: databaseURL}, nobody{})
	_, people := persistencetest.Populate(t, store, 1, 1)
	db := raw(t, databaseURL)
	held, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Rollback()
	if _, err := held.ExecContext(t.Context(), "LOCK TABLE invitations IN SHARE MODE"); err != nil { // they are read, not written
		t.Fatal(err)
	}
	made := make(chan error, 2)
	for range cap(made) {
		go func() {
			i := chat.Invitation{ID: persistencetest.NewID(), CreatedBy: people[0][0].ID, MaxUses: 1, ChatIDs: []string{}}
			_, err := store.AddInvitation(context.Background(), i, time.Hour, []byte(i.ID), nil, 1)
			made <- err
		}()
	}
	eventually(t, "both wait", waiting(t, db, 2))
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	ends := map[chat.Code]int{}
	for range cap(made) {
		ends[chat.CodeOf(<-made)]++
	}
	if ends[""] != 1 || ends[chat.Conflict] != 1 {
		t.Errorf("ended %v, want one made and one refused", ends)
	}
}
