package persistence_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestPoisonedGroup: splitting the group finds a send that the database refuses, and
// the others are stored.
func TestPoisonedGroup(t *testing.T) {
	databaseURL := sqliteURL(t)
	store := start(t, persistence.Config{URL: databaseURL}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 2)
	execRaw(t, raw(t, databaseURL), `CREATE TRIGGER poison BEFORE INSERT ON messages WHEN new.body = 'poison'
		BEGIN SELECT RAISE(ABORT, 'poison'); END`)
	release, occupied := holdGroups(t, store, message(rooms[0], people[0][0], "first"))
	var answers []<-chan answer
	for i := range 20 {
		m := message(rooms[i%2], people[i%2][0], fmt.Sprint("k", i))
		if i == 7 || i == 12 {
			m.Body = "poison"
		}
		answers = append(answers, sendLater(store, m))
		queued(t, store, i+1)
	}
	release()
	<-occupied
	seqs := map[int64]int{}
	for i, out := range answers {
		a := <-out
		if i == 7 || i == 12 {
			if chat.CodeOf(a.err) != chat.Internal {
				t.Errorf("the poisoned send was answered %+v, %v; want an internal error", a.sent, a.err)
			}
			continue
		}
		if a.err != nil {
			t.Errorf("send %d: %v", i, a.err)
		}
		seqs[a.sent.Seq]++
	}
	// Two chats: 4 … 13 in the first, one of them before the group, 4 … 12 in the other.
	for seq := int64(4); seq <= 12; seq++ {
		if want := min(2, int(seq)-2); seqs[seq] != want && seq != 4 {
			t.Errorf("seq %d was assigned %d times", seq, seqs[seq])
		}
	}
	if s := store.Stats(); s.Bisections == 0 || s.Bisections > 10 {
		t.Errorf("%d bisections, want 1 to 10", s.Bisections)
	}
}

// TestSendThatPanics: what no rule foresaw costs one send, but neither those that
// share its group nor the node. Here a chat has lost the row of its stream.
func TestSendThatPanics(t *testing.T) {
	databaseURL := sqliteURL(t)
	store := start(t, persistence.Config{URL: databaseURL}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 1)
	execRaw(t, raw(t, databaseURL), "DELETE FROM streams WHERE id = $1", rooms[0].ID)
	release, occupied := holdGroups(t, store, message(rooms[1], people[1][0], "first"))
	poisoned := sendLater(store, message(rooms[0], people[0][0], "k"))
	queued(t, store, 1)
	sound := sendLater(store, message(rooms[1], people[1][0], "k"))
	queued(t, store, 2)
	release()
	<-occupied
	if a := <-poisoned; chat.CodeOf(a.err) != chat.Internal {
		t.Errorf("the chat without a stream: %v, want an internal error", a.err)
	}
	if a := <-sound; a.err != nil {
		t.Errorf("the other chat: %v", a.err)
	}
}

// TestPoisonedText: PostgreSQL refuses U+0000, which the use cases never let pass.
func TestPoisonedText(t *testing.T) {
	store := start(t, persistence.Config{URL: postgresURL(t)}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	release, occupied := holdGroups(t, store, message(rooms[0], people[0][0], "first"))
	good := sendLater(store, message(rooms[0], people[0][0], "good"))
	queued(t, store, 1)
	bad := make(chan error, 1)
	go func() {
		m := message(rooms[0], people[0][1], "bad")
		m.MessageID, m.OpID, m.Body = persistencetest.NewID(), persistencetest.NewID(), "a\x00b"
		_, err := store.Send(context.Background(), m)
		bad <- err
	}()
	queued(t, store, 2)
	release()
	<-occupied
	if a := <-good; a.err != nil {
		t.Error(a.err)
	}
	if err := <-bad; err == nil {
		t.Error("U+0000 was stored")
	}
}

// TestQueueIsBounded: sends that do not fit are refused at once.
func TestQueueIsBounded(t *testing.T) {
	store := start(t, persistence.Config{URL: sqliteURL(t), QueueLength: 2}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	release, occupied := holdGroups(t, store, message(rooms[0], people[0][0], "first"))
	one, two := sendLater(store, message(rooms[0], people[0][0], "1")), sendLater(store, message(rooms[0], people[0][0], "2"))
	queued(t, store, 2)
	_, err := store.Send(t.Context(), message(rooms[0], people[0][0], "3"))
	var e *chat.Error
	if !asError(err, &e) || e.Code != chat.Overloaded || e.RetryAfter <= 0 {
		t.Errorf("beyond the bound: %v, want overloaded with a time to wait", err)
	}
	release()
	for _, out := range []<-chan answer{occupied, one, two} {
		if a := <-out; a.err != nil {
			t.Error(a.err)
		}
	}
}

// TestRunFlushes: what was accepted before Run ended is stored, and what comes later
// is refused.
func TestRunFlushes(t *testing.T) {
	store, err := persistence.Open(t.Context(), persistence.Config{URL: sqliteURL(t)}, nobody{}, persistencetest.NewID, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- store.Run(ctx) }()
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	release, occupied := holdGroups(t, store, message(rooms[0], people[0][0], "first"))
	answers := []<-chan answer{occupied}
	for i := range 600 {
		answers = append(answers, sendLater(store, message(rooms[0], people[0][0], fmt.Sprint("k", i))))
	}
	queued(t, store, 600)
	cancel()
	release()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	for _, out := range answers {
		if a := <-out; a.err != nil {
			t.Fatal(a.err)
		}
	}
	if a := <-sendLater(store, message(rooms[0], people[0][0], "late")); chat.CodeOf(a.err) != chat.Unavailable {
		t.Errorf("after Run has ended: %v, want unavailable", a.err)
	}
}

// TestTrimKeepsWhatIsYoungOrLast trims a log that is mostly old.
func TestTrimKeepsWhatIsYoungOrLast(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL, KeepEvents: 24 * time.Hour, KeepLast: 10}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 3, 2)
		var answers []<-chan answer
		for i := range 1300 {
			room := min(i/600, 2)
			answers = append(answers, sendLater(store, message(rooms[room], people[room][0], fmt.Sprint("k", i))))
		}
		for _, out := range answers {
			if a := <-out; a.err != nil {
				t.Fatal(a.err)
			}
		}
		db := raw(t, databaseURL)
		const day = 24 * 3600 * 1000
		// Old are, in the first chat, all but the last 20; in the second, all; in the third, none.
		execRaw(t, db, "UPDATE events SET ts = ts - $1 WHERE stream_id = $2 AND seq <= 583", 2*day, rooms[0].ID)
		execRaw(t, db, "UPDATE events SET ts = ts - $1 WHERE stream_id = $2", 2*day, rooms[1].ID)
		n, err := store.Trim(t.Context())
		if err != nil || n != 583+593 {
			t.Fatalf("trimmed %d, %v, want %d", n, err, 583+593)
		}
		for i, first := range []int64{584, 594, 1} {
			events, err := store.StreamEvents(t.Context(), rooms[i].ID, 0, 10)
			if err != nil || events[0].Seq != first {
				t.Errorf("the log of chat %d begins at %d, want %d: %v", i, events[0].Seq, first, err)
			}
		}
		u := people[1][0]
		page, err := store.Events(t.Context(), u.ID, rooms[1].ID, 592, 10)
		if err != nil || !page.Trimmed || len(page.Events) > 0 {
			t.Errorf("below what is kept: %+v, %v", page, err)
		}
		page, err = store.Events(t.Context(), u.ID, rooms[1].ID, 593, 10)
		if err != nil || page.Trimmed || len(page.Events) != 10 {
			t.Errorf("from the first event that is kept: %+v, %v", page, err)
		}
		h, err := store.History(t.Context(), u.ID, rooms[1].ID, chat.Range{Limit: 1000})
		if err != nil || len(h.Messages) != 600 {
			t.Errorf("%d messages remain, want 600: %v", len(h.Messages), err)
		}
		cursors, err := store.CursorsAt(t.Context(), u.ID, 1)
		if err != nil || cursors[rooms[1].ID] != 0 {
			t.Errorf("the cursor before everything that is kept: %v, %v", cursors, err)
		}
	})
}
