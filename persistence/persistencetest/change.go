package persistencetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"fechatter/chat"
)

// testChange: an error undoes everything and is returned unchanged.
func testChange(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	before := f.entry(c, people[0])
	boom := errors.New("boom")
	err := f.store.Change(f.t.Context(), chat.Change{OpID: NewID(), ChatID: c.ID, UserIDs: []string{people[1].ID}},
		func(ctx context.Context, tx chat.Tx) error {
			must(t, tx.DeleteMember(ctx, people[1].ID))
			seq, err := tx.Append(ctx, chat.Event{Op: chat.OpMemberRemoved, Subject: people[1].ID, D: chat.MemberEvent{}})
			must(t, err)
			equal(t, "the next seq", seq, before.LastSeq+1)
			stored, err := tx.Chat(ctx)
			must(t, err)
			equal(t, "the count follows", stored.MemberCount, 1)
			return boom
		})
	if !errors.Is(err, boom) {
		t.Errorf("got %v, want the error of the function", err)
	}
	after := f.entry(c, people[0])
	equal(t, "last seq", after.LastSeq, before.LastSeq)
	equal(t, "members", after.MemberCount, 2)
	equal(t, "nothing was published", len(f.published.of(c.ID)), int(before.LastSeq))
	// An op that this version does not know passes through the log untouched.
	err = f.store.Change(f.t.Context(), chat.Change{OpID: NewID(), ChatID: c.ID}, func(ctx context.Context, tx chat.Tx) error {
		_, err := tx.Append(ctx, chat.Event{Op: "poll.opened", ActorID: people[0].ID, D: map[string]any{"question": "why?"}})
		return err
	})
	must(t, err)
	page, err := f.store.Events(f.t.Context(), people[0].ID, c.ID, before.LastSeq, 10)
	must(t, err)
	equal(t, "unknown op", fmt.Sprintf("%s %s", page.Events[0].Op, page.Events[0].D), `poll.opened {"question":"why?"}`)
	err = f.store.Change(f.t.Context(), chat.Change{OpID: NewID(), ChatID: c.ID}, func(ctx context.Context, tx chat.Tx) error {
		return tx.AppendPersonal(ctx, people[0].ID, chat.Event{Op: chat.OpChatLeft})
	})
	equal(t, "a personal stream that is not locked", err != nil, true)
}

// testSenders has many people write to several chats at once while others change the
// same chats: seqs are 1 … n without holes, every message is counted, and time does
// not run backwards.
func testSenders(t *testing.T, f *fixture) {
	const senders, each, chats = 64, 6, 5
	owner := f.user("owner")
	rooms := make([]chat.Chat, chats)
	for i := range rooms {
		rooms[i] = f.group(owner)
	}
	people := make([]chat.User, senders)
	for i := range people {
		people[i] = f.user(fmt.Sprintf("sender%d", i))
	}
	var all sync.WaitGroup
	for i, u := range people {
		all.Go(func() {
			for n := range each {
				c := rooms[(i+n)%chats]
				if _, _, err := f.svc.AddMember(f.t.Context(), owner.ID, c.ID, u.ID, ""); err != nil {
					t.Error(err)
				}
				for range 3 {
					if _, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: u.ID, Key: NewID(), Body: "hello"}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	messages := int64(0)
	for _, c := range rooms {
		events := f.log(c.ID)
		for i, e := range events {
			equal(t, "seq", e.Seq, int64(i+1))
			if i > 0 && e.TS < events[i-1].TS {
				t.Errorf("event %d is earlier than the one before", e.Seq)
			}
			if e.Op == chat.OpMessageCreated {
				messages++
			}
		}
		equal(t, "last seq", f.entry(c, owner).LastSeq, int64(len(events)))
		equal(t, "published", len(f.published.of(c.ID)), len(events))
	}
	equal(t, "messages", messages, int64(senders*each*3))
}

// testPublishOrder mixes sends to and changes of one chat: each event is published
// once, in order, and before its call returns.
func testPublishOrder(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat", "dan")
	c := f.group(people...)
	var all sync.WaitGroup
	for _, u := range people {
		all.Go(func() {
			for range 15 {
				sent, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: u.ID, Key: NewID(), Body: "hello"})
				if err != nil {
					t.Error(err)
					return
				}
				if got := len(f.published.of(c.ID)); int64(got) < sent.Seq {
					t.Errorf("seq %d is answered when %d events are published", sent.Seq, got)
				}
				seq, err := f.svc.React(f.t.Context(), u.ID, sent.MessageID, "👍")
				if err != nil {
					t.Error(err)
				}
				if got := len(f.published.of(c.ID)); int64(got) < seq {
					t.Errorf("seq %d is answered when %d events are published", seq, got)
				}
			}
		})
	}
	all.Wait()
	equal(t, "published", len(f.published.of(c.ID)), 5+4*30)
}

// testGivenUp: a caller who gives up learns that the outcome is unknown; the key
// reveals it later.
func testGivenUp(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	ctx, cancel := context.WithCancel(f.t.Context())
	cancel()
	m := chat.Send{ChatID: c.ID, SenderID: people[0].ID, Key: "k", Body: "hello"}
	_, err := f.svc.Send(ctx, m)
	if err != nil {
		refused(t, err, chat.UnknownOutcome)
	}
	sent, err := f.svc.Send(f.t.Context(), m)
	must(t, err)
	equal(t, "the send was not undone", sent.Replayed, true)
	equal(t, "the log", len(f.log(c.ID)), 4)
	if _, err := f.store.User(ctx, people[0].ID); chat.CodeOf(err) != chat.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("a read with an ended context: %v", err)
	}
	_, err = f.svc.UpdateChat(ctx, people[0].ID, c.ID, chat.ChatChange{Name: new("x")})
	equal(t, "a change with an ended context fails", err != nil, true)
}

// testTrim uses the default bounds: nothing young is deleted.
func testTrim(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	f.send(c, people[0], "hello")
	n, err := f.store.Trim(f.t.Context())
	must(t, err)
	equal(t, "trimmed", n, 0)
	equal(t, "the log", len(f.log(c.ID)), 4)
}

func testCanary(t *testing.T, f *fixture) {
	must(t, f.store.Ping(f.t.Context()))
	for want := int64(1); want < 4; want++ {
		seq, err := f.store.WriteCanary(f.t.Context(), "node-1")
		must(t, err)
		equal(t, "canary", seq, want)
	}
	_, ends, err := f.store.Positions(f.t.Context(), []string{"node-1"})
	must(t, err)
	equal(t, "position of the canary", ends["node-1"].Seq, 3)
}

func testEpoch(t *testing.T, f *fixture) {
	before, now, err := f.store.Epoch(f.t.Context())
	must(t, err)
	equal(t, "secret", len(f.store.Secret()), 32)
	positions, _, err := f.store.Positions(f.t.Context(), nil)
	must(t, err)
	equal(t, "one epoch", positions, before)
	must(t, f.store.RenewEpoch(f.t.Context()))
	after, later, err := f.store.Epoch(f.t.Context())
	must(t, err)
	equal(t, "a new epoch", after != before && after != "", true)
	equal(t, "time goes on", later >= now, true)
}
