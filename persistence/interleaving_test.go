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

// TestRemovalDuringLockWait: a removal commits while a send of the removed member
// waits for the lock. The send must be refused: what counts is the membership after
// the wait.
func TestRemovalDuringLockWait(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, unhurried(databaseURL), nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 2)
	db := raw(t, databaseURL)
	removed := people[0][1]
	release := hold(t, store, rooms[0].ID, func(ctx context.Context, tx chat.Tx) error {
		if err := tx.DeleteMember(ctx, removed.ID); err != nil {
			return err
		}
		_, err := tx.Append(ctx, chat.Event{Op: chat.OpMemberRemoved, Subject: removed.ID, D: chat.MemberEvent{UserID: removed.ID}})
		return err
	})
	late := sendLater(store, message(rooms[0], removed, "late"))
	eventually(t, "the send waits for the lock", func() bool {
		var waiting int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting == 1
	})
	// One held lock does not stall the other chats.
	if a := <-sendLater(store, message(rooms[1], people[1][0], "other")); a.err != nil {
		t.Error(a.err)
	}
	more := sendLater(store, message(rooms[0], people[0][0], "more"))
	release()
	if a := <-late; chat.CodeOf(a.err) != chat.NotFound {
		t.Errorf("the removed member's send: %+v, %v, want not_found", a.sent, a.err)
	}
	if a := <-more; a.err != nil || a.sent.Seq != 5 {
		t.Errorf("the send after the removal: %+v, %v, want seq 5", a.sent, a.err)
	}
	if s := store.Stats(); s.Turns == 0 || s.Skips == 0 {
		t.Errorf("%d turns and %d skips: the send did not wait its turn", s.Turns, s.Skips)
	}
}

// TestHeldChat: a transaction of somebody else holds a chat for a long time. Sends
// to other chats go on all the while; those to the held one wait, and are stored
// in the order in which they came.
func TestHeldChat(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, persistence.Config{URL: databaseURL, TurnTimeout: 50 * time.Millisecond, LockTimeout: 10 * time.Minute, StatementTimeout: 10 * time.Minute}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 3, 2)
	tx, err := raw(t, databaseURL).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM streams WHERE id = $1 FOR UPDATE", rooms[0].ID); err != nil {
		t.Fatal(err)
	}
	var waiting []<-chan answer
	svc := persistencetest.Service(store)
	for n := range 300 {
		if n%100 == 0 {
			waiting = append(waiting, sendLater(store, message(rooms[0], people[0][0], fmt.Sprint("held", n))))
			eventually(t, "the send is in a group", func() bool { return store.Stats().Queued == 0 })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := svc.Send(ctx, message(rooms[1+n%2], people[1+n%2][0], fmt.Sprint("k", n)))
		cancel()
		if err != nil {
			t.Fatalf("send %d to another chat: %v", n, err)
		}
	}
	eventually(t, "the held chat has a lane of its own", func() bool { return store.Stats().Lanes == 1 })
	for _, out := range waiting {
		select {
		case a := <-out:
			t.Fatalf("a send to the held chat was answered: %+v", a)
		default:
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for i, out := range waiting {
		if a := <-out; a.err != nil || a.sent.Seq != int64(4+i) {
			t.Errorf("held send %d: %+v, %v, want seq %d", i, a.sent, a.err, 4+i)
		}
	}
}

// TestLockTimeout: a chat is held for longer than the store waits. Sends to it are
// refused as unavailable, and stored when they are repeated once it is free.
func TestLockTimeout(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, persistence.Config{URL: databaseURL, LockTimeout: 100 * time.Millisecond}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 2)
	tx, err := raw(t, databaseURL).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM streams WHERE id = $1 FOR UPDATE", rooms[0].ID); err != nil {
		t.Fatal(err)
	}
	m := message(rooms[0], people[0][0], "k")
	a := <-sendLater(store, m)
	unavailable(t, "a send to a held chat", a.err)
	_, err = persistencetest.Service(store).UpdateChat(t.Context(), people[0][0].ID, rooms[0].ID, chat.ChatChange{Name: new("x")})
	unavailable(t, "a change of a held chat", err)
	if a := <-sendLater(store, message(rooms[1], people[1][0], "k")); a.err != nil {
		t.Errorf("a send to another chat: %v", a.err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if a := <-sendLater(store, m); a.err != nil || a.sent.Replayed || a.sent.Seq != 4 {
		t.Errorf("once it is free: %+v, %v, want seq 4", a.sent, a.err)
	}
}

// TestSameKeyInOneGroup: the first of equal keys in a group answers the second before
// the database sees either, and reusing a key for other content costs only that send.
func TestSameKeyInOneGroup(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 2)
		c, ann := rooms[0], people[0][0]
		release, occupied := holdGroups(t, store, message(c, ann, "first"))
		var answers []<-chan answer
		for i, m := range []chat.Send{message(c, ann, "k"), message(c, ann, "k"), message(c, people[0][1], "k"), message(c, ann, "k")} {
			if i == 3 {
				m.Body = "other content"
			}
			answers = append(answers, sendLater(store, m))
			queued(t, store, i+1)
		}
		release()
		<-occupied
		first, second, other, reused := <-answers[0], <-answers[1], <-answers[2], <-answers[3]
		if first.err != nil || second.err != nil || other.err != nil {
			t.Fatal(first.err, second.err, other.err)
		}
		if !second.sent.Replayed || second.sent.MessageID != first.sent.MessageID || second.sent.Seq != first.sent.Seq {
			t.Errorf("the same key: %+v, then %+v", first.sent, second.sent)
		}
		if other.sent.Seq != first.sent.Seq+1 {
			t.Errorf("the next message has seq %d after %d: a seq was wasted", other.sent.Seq, first.sent.Seq)
		}
		if chat.CodeOf(reused.err) != chat.KeyReused {
			t.Errorf("other content: %v, want key_reused", reused.err)
		}
		if s := store.Stats(); s.Bisections != 0 {
			t.Errorf("the group was split %d times", s.Bisections)
		}
	})
}

// TestTimeNeverRunsBackwards: the database's clock was set back, or a server with a
// slower clock has taken over.
func TestTimeNeverRunsBackwards(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 2)
		c, ann := rooms[0], people[0][0]
		future := chat.TimeOf(time.Now().Add(time.Hour))
		execRaw(t, raw(t, databaseURL), "UPDATE streams SET last_ts = $1", int64(future))
		a := <-sendLater(store, message(c, ann, "k"))
		if a.err != nil || a.sent.TS < future {
			t.Errorf("sent at %s, want no earlier than %s: %v", a.sent.TS, future, a.err)
		}
		svc := persistencetest.Service(store)
		if _, err := svc.React(t.Context(), ann.ID, a.sent.MessageID, "👍"); err != nil {
			t.Fatal(err)
		}
		if err := store.SavePassword(t.Context(), ann.ID, "a good password", "hash", "", nil); err != nil {
			t.Fatal(err)
		}
		events, err := store.StreamEvents(t.Context(), c.ID, a.sent.Seq, 10)
		if err != nil || len(events) != 1 || events[0].TS < a.sent.TS {
			t.Errorf("the next event: %+v, %v", events, err)
		}
	})
}

// TestRemovedSenderLearnsOutcome: a key is looked up before the membership.
func TestRemovedSenderLearnsOutcome(t *testing.T) {
	store := start(t, persistence.Config{URL: sqliteURL(t)}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	c, ann, bob := rooms[0], people[0][0], people[0][1]
	first := <-sendLater(store, message(c, bob, "k"))
	if _, err := persistencetest.Service(store).RemoveMember(t.Context(), ann.ID, c.ID, bob.ID); err != nil {
		t.Fatal(err)
	}
	again := <-sendLater(store, message(c, bob, "k"))
	if again.err != nil || !again.sent.Replayed || again.sent.MessageID != first.sent.MessageID {
		t.Errorf("replayed to the removed sender: %+v, %v, want %+v", again.sent, again.err, first.sent)
	}
	if a := <-sendLater(store, message(c, bob, "k2")); chat.CodeOf(a.err) != chat.NotFound {
		t.Errorf("a new key of the removed sender: %v, want not_found", a.err)
	}
}

// TestReplayShowsCurrentContent: the log keeps no text of its own.
func TestReplayShowsCurrentContent(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 2)
		c, ann := rooms[0], people[0][0]
		svc := persistencetest.Service(store)
		edited, deleted := <-sendLater(store, message(c, ann, "k1")), <-sendLater(store, message(c, ann, "k2"))
		if _, _, err := svc.Edit(t.Context(), ann.ID, edited.sent.MessageID, "new words", 1); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Delete(t.Context(), ann.ID, deleted.sent.MessageID); err != nil {
			t.Fatal(err)
		}
		events, err := store.StreamEvents(t.Context(), c.ID, edited.sent.Seq-1, 2)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"new words", ""} {
			if d, ok := events[i].D.(chat.MessageCreated); !ok || d.Body != want {
				t.Errorf("event %d is replayed as %+v, want the body %q", i, events[i].D, want)
			}
		}
	})
}

// TestHorizonOfAnEarlierTransaction: a transaction that began early commits late, after
// the horizon was read with another's events. Its own are not below that horizon.
func TestHorizonOfAnEarlierTransaction(t *testing.T) {
	store := start(t, persistence.Config{URL: postgresURL(t)}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 2)
	svc, ann := persistencetest.Service(store), people[0][0]
	if _, _, err := svc.AddMember(t.Context(), people[1][0].ID, rooms[1].ID, ann.ID, chat.RoleMember); err != nil {
		t.Fatal(err)
	}
	release := hold(t, store, rooms[0].ID, func(ctx context.Context, tx chat.Tx) error {
		_, err := tx.Append(ctx, chat.Event{Op: chat.OpChatUpdated, D: rooms[0]})
		return err
	})
	other := <-sendLater(store, message(rooms[1], ann, "k"))
	last, at, err := store.LastSeqs(t.Context(), ann.ID)
	release()
	if other.err != nil || err != nil || last[rooms[1].ID] != other.sent.Seq {
		t.Fatalf("sent %+v, last seqs %v: %v, %v", other.sent, last, other.err, err)
	}
	cursors, err := store.CursorsAt(t.Context(), ann.ID, at)
	if err != nil || cursors[rooms[0].ID] > last[rooms[0].ID] {
		t.Errorf("cursor %d, want at most %d: %v", cursors[rooms[0].ID], last[rooms[0].ID], err)
	}
}

// TestHorizonAfterARestore: events from the dump of another server, which had run more
// transactions, are below the horizons of this one.
func TestHorizonAfterARestore(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 2)
		execRaw(t, raw(t, databaseURL), "UPDATE events SET tx = $1", int64(1)<<39)
		if err := store.RenewEpoch(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a horizon above what was restored", func() bool {
			last, at, err := store.LastSeqs(t.Context(), people[0][0].ID)
			cursors := check[map[string]int64](t)(store.CursorsAt(t.Context(), people[0][0].ID, at))
			return err == nil && cursors[rooms[0].ID] == last[rooms[0].ID]
		})
	})
}
