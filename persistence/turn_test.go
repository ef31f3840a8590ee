package persistence_test

import (
	"context"
	"encoding/json"
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

// unhurried returns the settings of a store whose waits do not end during a test.
func unhurried(databaseURL string) persistence.Config {
	const long = time.Minute // and yet ends a broken test
	return persistence.Config{URL: databaseURL, AcquireTimeout: long / 2, TurnTimeout: long, LockTimeout: long, StatementTimeout: long}
}

// lockChats locks chats as another node does, until release is called.
func lockChats(t *testing.T, databaseURL string, rooms ...chat.Chat) (release func()) {
	t.Helper()
	tx, err := raw(t, databaseURL).BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() }) // in vain after release
	for _, c := range rooms {
		if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM streams WHERE id = $1 FOR UPDATE", c.ID); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// waitForLocks waits until so many transactions wait for a lock.
func waitForLocks(t *testing.T, databaseURL string, n int) {
	t.Helper()
	db := raw(t, databaseURL)
	eventually(t, "groups wait for a lock", func() bool {
		var waiting int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting == n
	})
}

// TestTurnTakesAllThatGathered: what comes while a node waits for a chat's lock is in the
// same commit as what it waits with, also what goes to other chats that it waits for.
func TestTurnTakesAllThatGathered(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, unhurried(databaseURL), nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 2)
	release := lockChats(t, databaseURL, rooms...)
	answers := []<-chan answer{sendLater(store, message(rooms[0], people[0][0], "first"))}
	waitForLocks(t, databaseURL, 1)
	// The second chat is found locked, too: from now on it waits its turn.
	answers = append(answers, sendLater(store, message(rooms[1], people[1][0], "first")))
	eventually(t, "both chats wait", func() bool { return store.Stats().Skips == 2 })
	for i := range 60 {
		answers = append(answers, sendLater(store, message(rooms[i%2], people[i%2][0], fmt.Sprint("k", i))))
	}
	eventually(t, "the sends wait", func() bool { return store.InLanes() == 61 })
	before := store.Stats().Batches
	release()
	for i, out := range answers {
		if a := <-out; a.err != nil {
			t.Errorf("send %d: %v", i, a.err)
		}
	}
	if s := store.Stats(); s.Batches-before != 1 || s.Turns != 1 {
		t.Errorf("%d commits in %d turns, want 1", s.Batches-before, s.Turns)
	}
}

// TestOneHotChatManyNodes: three nodes send into one chat at once, each sender with several
// sends under way. Each send is stored once, a sender's in their order, and the events of the
// chat are published without a hole, each by one node.
func TestOneHotChatManyNodes(t *testing.T) {
	const nodes, senders, each = 3, 12, 40
	databaseURL := postgresURL(t)
	published := &numbers{seen: map[int64]int{}}
	var stores []*persistence.Store
	for range nodes {
		stores = append(stores, start(t, persistence.Config{URL: databaseURL}, published))
	}
	rooms, people := persistencetest.Populate(t, stores[0], 1, senders)
	var all sync.WaitGroup
	places := make([][each]int64, senders)
	for i, u := range people[0] {
		all.Add(each)
		svc := persistencetest.Service(stores[i%nodes])
		for n := range each {
			done := func(sent chat.Sent, err error) {
				defer all.Done()
				if places[i][n] = sent.Seq; err != nil || sent.Replayed {
					t.Errorf("%+v, %v", sent, err)
				}
			}
			if _, queued, err := svc.Enqueue(t.Context(), message(rooms[0], u, fmt.Sprint("k", n)), done); !queued {
				t.Fatal("not queued: ", err)
			}
		}
	}
	all.Wait()
	for i := range places {
		for n := 1; n < each; n++ {
			if places[i][n] <= places[i][n-1] {
				t.Errorf("sender %d: send %d has seq %d, the one before %d", i, n, places[i][n], places[i][n-1])
			}
		}
	}
	_, at, err := stores[0].Positions(t.Context(), []string{rooms[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	last := at[rooms[0].ID].Seq
	for seq := last - senders*each + 1; seq <= last; seq++ {
		if published.seen[seq] != 1 {
			t.Errorf("the event %d was published %d times", seq, published.seen[seq])
		}
	}
}

// numbers is a publisher that counts the seqs of messages.
type numbers struct {
	mu   sync.Mutex
	seen map[int64]int
}

func (n *numbers) Publish(events []chat.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range events {
		if e.Op == chat.OpMessageCreated {
			n.seen[e.Seq]++
		}
	}
}

// TestFreeAgainKeepsOrder: a chat waited its turn, but no longer does. A send to it is on
// its way in an ordinary group when the turn begins anew for another chat: the next send to
// the first does not overtake it there.
func TestFreeAgainKeepsOrder(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, unhurried(databaseURL).WithContention(time.Hour), nobody{})
	rooms, people := persistencetest.Populate(t, store, 3, 2)
	free, waits := rooms[0], rooms[1]
	contend(t, store, databaseURL, message(free, people[0][0], "first"))
	contend(t, store, databaseURL, message(waits, people[1][0], "first"))
	eventually(t, "nothing waits", func() bool { return !store.TurnIsOpen() })
	store.EndContention(free.ID)

	// A group begins with a send to either, and then stands still.
	unlock := lockChats(t, databaseURL, waits)
	release, before := holdGroups(t, store, message(rooms[2], people[2][0], "first"))
	one := sendLater(store, message(free, people[0][0], "one"))
	queued(t, store, 1)
	other := sendLater(store, message(waits, people[1][0], "one"))
	queued(t, store, 2)
	holding := make(chan func(), 1)
	go func() {
		again, err := store.HoldBatches(context.Background())
		if err != nil {
			t.Error(err)
		}
		holding <- again
	}()
	eventually(t, "another waits for the connection", func() bool { return store.BatchWaits() == 2 })
	release()
	again := <-holding
	<-before
	waitForLocks(t, databaseURL, 1) // the turn
	two := sendLater(store, message(free, people[0][0], "two"))
	queued(t, store, 1)
	unlock()
	<-other
	again()
	if a, b := <-one, <-two; a.err != nil || b.err != nil || b.sent.Seq != a.sent.Seq+1 {
		t.Errorf("the first has seq %d, the second %d: %v, %v", a.sent.Seq, b.sent.Seq, a.err, b.err)
	}
}

// contend stores a message that has to wait its turn.
func contend(t *testing.T, store *persistence.Store, databaseURL string, m chat.Send) {
	t.Helper()
	release := lockChats(t, databaseURL, chat.Chat{ID: m.ChatID})
	out := sendLater(store, m)
	waitForLocks(t, databaseURL, 1)
	release()
	if a := <-out; a.err != nil {
		t.Fatal(a.err)
	}
}

// TestSplitGroupKeepsOrder: the database refuses a group, which is split; a chat that is locked
// when the first half is stored is free at the second, and yet the second half's send to it
// does not overtake the first's.
func TestSplitGroupKeepsOrder(t *testing.T) {
	databaseURL := postgresURL(t)
	var unlock func()
	var otherID string
	locks := 0
	cfg := unhurried(databaseURL).WithTrace(func(query string, args []any) {
		if otherID == "" || !strings.Contains(query, "SKIP LOCKED") || !strings.Contains(fmt.Sprint(args...), otherID) {
			return
		}
		if locks++; locks == 2 {
			unlock()
		}
	})
	store := start(t, cfg, nobody{})
	rooms, people := persistencetest.Populate(t, store, 3, 1)
	execRaw(t, raw(t, databaseURL), "ALTER TABLE messages ADD CONSTRAINT poison CHECK (body <> 'poison')")
	release, before := holdGroups(t, store, message(rooms[2], people[2][0], "first"))
	unlock = lockChats(t, databaseURL, rooms[0])
	poison := message(rooms[1], people[1][0], "poison")
	poison.Body = "poison"
	var answers []<-chan answer
	for i, m := range []chat.Send{message(rooms[0], people[0][0], "one"), poison, message(rooms[0], people[0][0], "two")} {
		answers = append(answers, sendLater(store, m))
		queued(t, store, i+1)
	}
	otherID = rooms[1].ID
	release()
	<-before
	one, refused, two := <-answers[0], <-answers[1], <-answers[2]
	if chat.CodeOf(refused.err) != chat.Internal {
		t.Errorf("the poisoned send: %+v, %v", refused.sent, refused.err)
	}
	if one.err != nil || two.err != nil || two.sent.Seq != one.sent.Seq+1 {
		t.Errorf("the first has seq %d, the second %d: %v, %v", one.sent.Seq, two.sent.Seq, one.err, two.err)
	}
}

// TestLanesAreBounded: sends to a chat that is held pile up only as far as the queue may,
// and keep no other chat waiting.
func TestLanesAreBounded(t *testing.T) {
	databaseURL := postgresURL(t)
	cfg := unhurried(databaseURL)
	cfg.QueueLength = 3
	store := start(t, cfg, nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 2)
	release := lockChats(t, databaseURL, rooms[0])
	var waiting []<-chan answer
	for i := range 4 { // one in the group that waits, three behind it
		waiting = append(waiting, sendLater(store, message(rooms[0], people[0][0], fmt.Sprint("k", i))))
		if i == 0 {
			waitForLocks(t, databaseURL, 1)
		}
		eventually(t, "it waits", func() bool { return store.InLanes() == i })
	}
	var e *chat.Error
	if a := <-sendLater(store, message(rooms[0], people[0][0], "over")); !errors.As(a.err, &e) || e.Code != chat.Overloaded || e.RetryAfter <= 0 {
		t.Errorf("beyond the bound: %v, want overloaded with a time to wait", a.err)
	}
	if a := <-sendLater(store, message(rooms[1], people[1][0], "k")); a.err != nil {
		t.Errorf("another chat: %v", a.err)
	}
	release()
	for i, out := range waiting {
		if a := <-out; a.err != nil || a.sent.Seq != int64(4+i) {
			t.Errorf("send %d: %+v, %v, want seq %d", i, a.sent, a.err, 4+i)
		}
	}
}

// TestGroupsReadByKey: in a young database, which nobody has analysed, a group of sends
// reads no table as a whole while others wait for its locks.
func TestGroupsReadByKey(t *testing.T) {
	seen := &statements{}
	store := start(t, persistence.Config{URL: postgresURL(t)}.WithTrace(seen.trace), nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	for range 20 {
		var answers []<-chan answer
		for range 100 {
			answers = append(answers, sendLater(store, message(rooms[0], people[0][0], persistencetest.NewID())))
		}
		for _, out := range answers {
			if a := <-out; a.err != nil {
				t.Fatal(a.err)
			}
		}
	}
	seen.next()
	m := message(rooms[0], people[0][0], "k")
	m.Body, m.ReplyTo = "hello @"+people[0][1].Username, (<-sendLater(store, message(rooms[0], people[0][1], "k"))).sent.MessageID
	if a := <-sendLater(store, m); a.err != nil {
		t.Fatal(a.err)
	}
	found := seen.next()
	if len(found) < 7 {
		t.Fatalf("a group of sends runs %d statements", len(found))
	}
	for _, s := range found {
		text, err := store.ExplainGroup(t.Context(), s.query, s.args...)
		var plans []struct{ Plan plan }
		if err = errors.Join(err, json.Unmarshal([]byte(text), &plans)); err != nil {
			t.Fatalf("%v: %s", err, s.query)
		}
		if tables := plans[0].Plan.scanned(); len(tables) > 0 {
			t.Errorf("reads all of %v:\n%s", tables, s.query)
		}
	}
}
