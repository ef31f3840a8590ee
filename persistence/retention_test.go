package persistence_test

import (
	"fmt"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

const day = 24 * time.Hour

// TestRetention: messages older than a chat's retention are deleted, by one node, and
// every way of reading agrees.
func TestRetention(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		ctx := t.Context()
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		svc, operator := persistencetest.Service(store), chat.ByOperator()
		rooms, people := persistencetest.Populate(t, store, 2, 2)
		ann := people[0][0]
		say := func(c chat.Chat, u chat.User, body string) chat.Sent {
			sent := <-sendLater(store, chat.Send{ChatID: c.ID, SenderID: u.ID, Key: persistencetest.NewID(), Body: body, MessageID: persistencetest.NewID()})
			if sent.err != nil {
				t.Fatal(sent.err)
			}
			return sent.sent
		}
		db := raw(t, databaseURL)
		age := func(c chat.Chat, by time.Duration) {
			if _, err := db.ExecContext(ctx, "UPDATE messages SET created_at = created_at - $1 WHERE chat_id = $2", by.Milliseconds(), c.ID); err != nil {
				t.Fatal(err)
			}
		}
		expire := func(what string, want int) {
			t.Helper()
			if n, err := svc.Expire(ctx); err != nil || n != want {
				t.Errorf("%s: %d messages expired, %v; want %d", what, n, err, want)
			}
		}
		for i := range 60 {
			say(rooms[0], ann, fmt.Sprint("@all old ", i))
		}
		gone := say(rooms[0], ann, "deleted by hand")
		check[int64](t)(svc.Delete(ctx, ann.ID, gone.MessageID))
		say(rooms[1], people[1][0], "for ever")
		age(rooms[0], 8*day)
		age(rooms[1], 1000*day)
		fresh := say(rooms[0], ann, "fresh")
		check[chat.Retention](t)(svc.SetRetention(ctx, operator, rooms[0].ID, 7))

		expire("the first sweep", 60)
		expire("another node's premature sweep", 0)
		judgeExpired(t, store, svc, rooms[0], ann, fresh)
		if h := check[chat.History](t)(svc.History(ctx, people[1][0].ID, rooms[1].ID, chat.Range{Limit: 9})); h.Messages[0].Body != "for ever" {
			t.Errorf("the other chat has %+v", h.Messages)
		}
		continueExpired(t, store, svc, rooms[0])
		expireLater(t, store, svc, rooms[0], fresh, func() { age(rooms[0], 8*day) })
	})
}

func judgeExpired(t *testing.T, store *persistence.Store, svc *chat.Service, c chat.Chat, ann chat.User, fresh chat.Sent) {
	t.Helper()
	h := check[chat.History](t)(svc.History(t.Context(), ann.ID, c.ID, chat.Range{Limit: 200}))
	for _, m := range h.Messages {
		if (m.DeletedAt == nil) != (m.ID == fresh.MessageID) || m.DeletedAt != nil && (m.Body != "" || m.MentionsAll) {
			t.Errorf("message %d is %+v", m.Seq, m)
		}
	}
	actorless := 0
	for _, e := range check[[]chat.Event](t)(store.StreamEvents(t.Context(), c.ID, 0, 1000)) {
		if e.Op == chat.OpMessageDeleted && e.ActorID == "" {
			actorless++
		}
	}
	if actorless != 60 {
		t.Errorf("%d deletions without an actor, want 60", actorless)
	}
}

// continueExpired: the next sweep begins where this one ended, even if the retention
// changes during a sweep.
func continueExpired(t *testing.T, store *persistence.Store, svc *chat.Service, c chat.Chat) {
	t.Helper()
	ctx := t.Context()
	expiring := func() chat.Expiring {
		t.Helper()
		chats := check[[]chat.Expiring](t)(store.ExpiringChats(ctx, "", 10))
		if len(chats) != 1 || chats[0].From == 0 || chats[0].ChatID != c.ID {
			t.Fatalf("chats with retention: %+v", chats)
		}
		return chats[0]
	}
	stale := expiring()
	check[chat.Retention](t)(svc.SetRetention(ctx, chat.ByOperator(), c.ID, 6))
	from := stale.From
	stale.From, stale.Before = 0, stale.Before+chat.Time(30*day.Milliseconds())
	if ids := check[[]string](t)(store.ExpiredMessages(ctx, stale, 10)); len(ids) > 0 {
		t.Errorf("under another retention %d messages are expired", len(ids))
	}
	if err := store.SaveExpired(ctx, stale); err != nil {
		t.Fatal(err)
	}
	if now := expiring(); now.From != from {
		t.Errorf("a sweep of another retention moved the mark from %d to %d", from, now.From)
	}
}

// expireLater: fresh messages expire in their time, once the claim has ended.
func expireLater(t *testing.T, store *persistence.Store, svc *chat.Service, c chat.Chat, fresh chat.Sent, age func()) {
	t.Helper()
	ctx := t.Context()
	chats := check[[]chat.Expiring](t)(store.ExpiringChats(ctx, "", 10))
	age()
	chats[0].From, chats[0].Before = 0, chats[0].Before+1
	ids := check[[]string](t)(store.ExpiredMessages(ctx, chats[0], 10))
	if len(ids) != 1 || ids[0] != fresh.MessageID {
		t.Errorf("expired: %q, want the fresh message", ids)
	}
	check[chat.Retention](t)(svc.SetRetention(ctx, chat.ByOperator(), c.ID, 0))
	if left := check[[]chat.Expiring](t)(store.ExpiringChats(ctx, "", 10)); len(left) > 0 {
		t.Errorf("without retention: %+v", left)
	}
}
