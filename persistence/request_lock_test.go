package persistence_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// waiting reports whether n transactions wait for a lock.
func waiting(t testing.TB, db *sql.DB, n int) func() bool {
	return func() bool {
		var got int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&got)
		return err == nil && got == n
	}
}

// inbox is a victim with two requests of strangers, and more strangers.
type inbox struct {
	store  *persistence.Store
	svc    *chat.Service // two requests are the most
	victim chat.User
	others []chat.User
	chats  []chat.Chat
}

func fullInbox(t *testing.T, databaseURL string) *inbox {
	t.Helper()
	store := start(t, persistence.Config{URL: databaseURL}, nobody{})
	limits := chat.DefaultLimits()
	limits.Requests = 2
	b := &inbox{store: store, svc: persistencetest.Limited(store, limits)}
	for i := range 5 {
		u, err := b.svc.SignUp(t.Context(), chat.NewUser{Username: fmt.Sprint("user", i), Password: "a good password"})
		if err != nil {
			t.Fatal(err)
		}
		b.others = append(b.others, u)
	}
	b.victim, b.others = b.others[0], b.others[1:]
	for i := range 2 {
		c, err := b.invite(i)
		if err != nil {
			t.Fatal(err)
		}
		b.chats = append(b.chats, c)
	}
	return b
}

func (b *inbox) invite(i int) (chat.Chat, error) {
	c, _, err := b.svc.CreateChat(context.Background(), b.others[i].ID, chat.NewChat{Kind: chat.Group, MemberIDs: []string{b.victim.ID}})
	return c, err
}

// inviteLater invites in the background.
func (b *inbox) inviteLater(i int) <-chan error {
	out := make(chan error, 1)
	go func() {
		_, err := b.invite(i)
		out <- err
	}()
	return out
}

func (b *inbox) want(t *testing.T, chats, requests int) {
	t.Helper()
	page, err := b.svc.AllEntries(t.Context(), b.victim.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, e := range page.Entries {
		if e.Request {
			got++
		}
	}
	if len(page.Entries) != chats || got != requests {
		t.Errorf("%d chats with %d requests, want %d with %d", len(page.Entries), got, chats, requests)
	}
}

// TestInvitationsTakeTurns: somebody holds the chat of the request that must go. Two who
// invite wait, the second for the first: each makes its own oldest request go, at once.
func TestInvitationsTakeTurns(t *testing.T) {
	databaseURL := postgresURL(t)
	b := fullInbox(t, databaseURL)
	db := raw(t, databaseURL)
	release := hold(t, b.store, b.chats[0].ID, nil)
	first := b.inviteLater(2)
	eventually(t, "the first one waits", waiting(t, db, 1))
	second := b.inviteLater(3)
	eventually(t, "so does the second one", waiting(t, db, 2))
	release()
	for _, done := range []<-chan error{first, second} {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	b.want(t, 2, 2)
}

// TestOldestRequestEndsMeanwhile: the request that should go is accepted while the
// invitation waits for its chat. It has made room, so that no other one goes, even if
// there are more than are allowed now.
func TestOldestRequestEndsMeanwhile(t *testing.T) {
	databaseURL := postgresURL(t)
	b := fullInbox(t, databaseURL)
	limits := chat.DefaultLimits()
	limits.Requests = 1
	b.svc = persistencetest.Limited(b.store, limits)
	release := hold(t, b.store, b.chats[0].ID, func(ctx context.Context, tx chat.Tx) error {
		m, err := tx.Member(ctx, b.victim.ID)
		if err != nil {
			return err
		}
		m.Standing = chat.Accepted
		if _, err := tx.Append(ctx, chat.Event{Op: chat.OpMemberUpdated, D: chat.MemberEvent{UserID: m.UserID}}); err != nil {
			return err
		}
		return tx.SaveMember(ctx, m)
	})
	invited := b.inviteLater(2)
	eventually(t, "the invitation waits", waiting(t, raw(t, databaseURL), 1))
	release()
	if err := <-invited; err != nil {
		t.Error(err)
	}
	b.want(t, 3, 2)
}

// TestSendsOfAGroupShareTheLastPlace: one commit stores sends of somebody to two requests.
// The first takes the last place that their chats have, and what they write there later is
// stored; the second is refused.
func TestSendsOfAGroupShareTheLastPlace(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		b := fullInbox(t, databaseURL)
		limits := chat.DefaultLimits()
		limits.ChatsPerUser = 1
		svc := persistencetest.Limited(b.store, limits)
		release, occupied := holdGroups(t, b.store, message(b.chats[0], b.others[0], "first"))
		answers := make([]chan error, 3)
		for i, to := range []chat.Chat{b.chats[0], b.chats[1], b.chats[0]} {
			answers[i] = make(chan error, 1)
			go func() {
				_, err := svc.Send(context.Background(), message(to, b.victim, fmt.Sprint("k", i)))
				answers[i] <- err
			}()
			queued(t, b.store, i+1)
		}
		release()
		<-occupied
		for i, want := range []chat.Code{"", chat.Conflict, ""} {
			if err := <-answers[i]; chat.CodeOf(err) != want {
				t.Errorf("send %d: %v, want %q", i, err, want)
			}
		}
		b.want(t, 2, 1)
	})
}

// TestLastPlaceIsTakenOnce: somebody accepts a request, and writes in another one before
// that is committed. There is one place.
func TestLastPlaceIsTakenOnce(t *testing.T) {
	databaseURL := postgresURL(t)
	b := fullInbox(t, databaseURL)
	limits := chat.DefaultLimits()
	limits.ChatsPerUser = 1
	svc := persistencetest.Limited(b.store, limits)
	release := hold(t, b.store, b.chats[0].ID, func(ctx context.Context, tx chat.Tx) error {
		m, err := tx.Member(ctx, b.victim.ID)
		if err != nil {
			return err
		}
		if _, err := tx.AcceptedChats(ctx, m.UserID); err != nil {
			return err
		}
		m.Standing = chat.Accepted
		return tx.SaveMember(ctx, m)
	})
	sent, held := make(chan error, 1), waiting(t, raw(t, databaseURL), 1)
	go func() {
		_, err := svc.Send(context.Background(), message(b.chats[1], b.victim, "k"))
		sent <- err
	}()
	eventually(t, "the send waits", func() bool { return held() || len(sent) > 0 })
	release()
	if err := <-sent; chat.CodeOf(err) != chat.Conflict {
		t.Errorf("the send: %v", err)
	}
	b.want(t, 2, 1)
}
