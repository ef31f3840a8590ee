package persistence_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// Cursors that move during the pause share one commit, whoever they belong to. Here
// the pause ends together with Run. It begins shortly after the first move is answered:
// a move that comes before it is answered early.
func TestCursorsShareCommits(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store, err := persistence.Open(t.Context(), patient(persistence.Config{URL: databaseURL, CursorsEvery: time.Hour}),
			nobody{}, persistencetest.NewID, quiet())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ran := make(chan error, 1)
		go func() { ran <- store.Run(ctx) }()
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
		var answered atomic.Int64
		for room := range rooms {
			for user := 1; user < 19; user++ {
				wg.Go(func() {
					set(user, room, 21)
					answered.Add(1)
				})
			}
		}
		eventually(t, "the moves wait", func() bool { return int64(store.WaitingCursors())+answered.Load() == 36 })
		early := answered.Load()
		cancel()
		wg.Wait()
		if n := store.Stats().Cursors; n < 2 || n > 2+early {
			t.Errorf("%d commits for 37 moves, of which %d came before the pause", n, early)
		}
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

// Somebody else's lock on a member's row delays that cursor and no other.
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
	// If it is freed in time the cursor is stored; after the last attempt it is
	// refused, not lost silently.
	if err := <-held; err != nil && chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("the locked member: %v", err)
	}
}
