package persistence_test

import (
	"sync"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// Cursors that move within the pause share one commit, whoever's they are.
func TestCursorsShareCommits(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL, CursorsEvery: 2 * time.Second}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 2, 20)
		set := func(user, room, to int) {
			seq := int64(to)
			m, err := store.SetCursor(t.Context(), people[room][user].ID, rooms[room].ID, chat.CursorChange{ReadSeq: &seq})
			if err != nil || m.ReadSeq < seq || !m.Moved {
				t.Errorf("moved to %d: %+v, %v", to, m, err)
			}
		}
		set(0, 0, 10)
		var wg sync.WaitGroup
		for room := range rooms {
			for user := 1; user < 19; user++ {
				wg.Go(func() { set(user, room, 21) })
			}
		}
		wg.Wait()
		if n := store.Stats().Cursors; n > 3 {
			t.Errorf("%d commits for 37 moves", n)
		}
	})
}

// A member's row that somebody else holds delays that cursor, and no other.
func TestCursorOfALockedMember(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, persistence.Config{URL: databaseURL, CursorsEvery: time.Millisecond}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 3)
	tx, err := raw(t, databaseURL).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM chat_members WHERE user_id = $1 FOR UPDATE", people[0][1].ID); err != nil {
		t.Fatal(err)
	}
	read := func(user int) error {
		seq := int64(4)
		_, err := store.SetCursor(t.Context(), people[0][user].ID, rooms[0].ID, chat.CursorChange{ReadSeq: &seq})
		return err
	}
	held := make(chan error, 1)
	go func() { held <- read(1) }()
	if err := read(2); err != nil {
		t.Errorf("another member: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	// Freed soon enough it is stored; after the last try it is refused, not lost
	// in silence.
	if err := <-held; err != nil && chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("the member who was locked: %v", err)
	}
}
