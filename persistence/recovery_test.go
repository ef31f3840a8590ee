package persistence_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
	"fechatter/persistence/postgrestest"
)

// fragile returns a database and its server, which the test may break: it is repaired
// when the test ends.
func fragile(t *testing.T) (*postgrestest.Server, string) {
	t.Helper()
	s := postgresServer(t)
	t.Cleanup(func() {
		if err := errors.Join(s.Thaw(), s.Resume(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return s, postgresURL(t)
}

// actionable fails unless a call succeeded or failed in a way that a caller can act on.
func actionable(t *testing.T, what string, err error) {
	t.Helper()
	if code := chat.CodeOf(err); err != nil && code != chat.Unavailable && code != chat.UnknownOutcome {
		t.Errorf("%s: %v, want unavailable or unknown_outcome", what, err)
	}
}

// TestCrashedServer: PostgreSQL crashes twice under load and comes back. Senders who
// retry with the same key until there is an answer find every message stored once,
// where the answer said.
func TestCrashedServer(t *testing.T) {
	server, databaseURL := fragile(t)
	store := start(t, persistence.Config{URL: databaseURL}, nobody{})
	const senders, each = 8, 60
	rooms, people := persistencetest.Populate(t, store, 2, senders/2)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var acked atomic.Int64
	var all sync.WaitGroup
	acks := make([]map[string]chat.Sent, senders)
	for n := range senders {
		acks[n] = map[string]chat.Sent{}
		c, u := rooms[n%2], people[n%2][n/2]
		all.Go(func() {
			for i := range each {
				key := fmt.Sprint("k", n, "-", i)
				sent, err := sendUntilKnown(ctx, t, store, message(c, u, key))
				if err != nil {
					t.Errorf("send %s: %v", key, err)
					return
				}
				acks[n][key] = sent
				acked.Add(1)
			}
		})
	}
	for _, after := range []int64{senders * each / 4, senders * each / 2} {
		eventually(t, "sends are stored", func() bool { return acked.Load() >= after })
		if err := server.Crash(); err != nil {
			t.Fatal(err)
		}
		_, err := store.User(ctx, people[0][0].ID)
		unavailable(t, "a read without a server", err)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a read without a server waits until its time is up: %v", err)
		}
		if err := server.Resume(ctx); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	for room, c := range rooms {
		stored := storedKeys(t, store, c.ID)
		for n := room; n < senders; n += 2 {
			for key, sent := range acks[n] {
				if stored[key] != sent.Seq {
					t.Errorf("%s was acknowledged with seq %d and is stored at %d", key, sent.Seq, stored[key])
				}
				delete(stored, key)
			}
		}
		if len(stored) > 0 {
			t.Errorf("stored without being acknowledged: %v", stored)
		}
	}
}

// sendUntilKnown sends with one key until the outcome is known.
func sendUntilKnown(ctx context.Context, t *testing.T, store *persistence.Store, m chat.Send) (chat.Sent, error) {
	svc := persistencetest.Service(store)
	for {
		one, cancel := context.WithTimeout(ctx, 5*time.Second)
		sent, err := svc.Send(one, m)
		cancel()
		if err == nil || ctx.Err() != nil {
			return sent, err
		}
		actionable(t, "send", err)
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return chat.Sent{}, ctx.Err()
		}
	}
}

// storedKeys returns the seq of each message in a chat by its key. It fails if a key is
// stored twice or a seq is missing.
func storedKeys(t *testing.T, store *persistence.Store, chatID string) map[string]int64 {
	t.Helper()
	events, err := store.StreamEvents(t.Context(), chatID, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]int64{}
	for i, e := range events {
		if e.Seq != int64(i+1) {
			t.Fatalf("seq %d follows %d", e.Seq, i)
		}
		if d, ok := e.D.(chat.MessageCreated); ok {
			if keys[d.Key] != 0 {
				t.Errorf("%s is stored at %d and %d", d.Key, keys[d.Key], e.Seq)
			}
			keys[d.Key] = e.Seq
		}
	}
	return keys
}

// TestFrozenServer: nothing answers, and no connection breaks. Every call returns when
// its time is up, and works again once the server goes on.
func TestFrozenServer(t *testing.T) {
	server, databaseURL := fragile(t)
	store := start(t, persistence.Config{URL: databaseURL}, nobody{}) // only callers lose patience
	rooms, people := persistencetest.Populate(t, store, 2, 2)
	svc, ann := persistencetest.Service(store), people[0][0]
	calls := map[string]func(context.Context) error{
		"send": func(ctx context.Context) error { _, err := svc.Send(ctx, message(rooms[0], ann, "k")); return err },
		"other": func(ctx context.Context) error {
			_, err := svc.Send(ctx, message(rooms[1], people[1][0], "k"))
			return err
		},
		"change": func(ctx context.Context) error {
			_, err := svc.UpdateChat(ctx, ann.ID, rooms[0].ID, chat.ChatChange{Name: new("x")})
			return err
		},
		"update": func(ctx context.Context) error {
			return store.SavePassword(ctx, ann.ID, "a good password", "a good password", "", nil)
		},
		"read": func(ctx context.Context) error { _, err := store.Entry(ctx, ann.ID, rooms[0].ID); return err },
		"history": func(ctx context.Context) error {
			_, err := store.History(ctx, ann.ID, rooms[0].ID, chat.Range{Limit: 5})
			return err
		},
		"ping":   store.Ping,
		"canary": func(ctx context.Context) error { _, err := store.WriteCanary(ctx, "node"); return err },
	}
	round := func(patience time.Duration) (failed int) {
		var all sync.WaitGroup
		var wrong atomic.Int64
		for what, call := range calls {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				began := time.Now()
				if err := call(ctx); err != nil {
					actionable(t, what, err)
					wrong.Add(1)
				}
				if took := time.Since(began); took > patience+30*time.Second {
					t.Errorf("%s returned after %s", what, took)
				}
			})
		}
		all.Wait()
		return int(wrong.Load())
	}
	const long = 30 * time.Second
	if n := round(long); n > 0 {
		t.Fatalf("%d calls failed before anything happened", n)
	}
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err := persistence.Open(t.Context(), patient(persistence.Config{URL: databaseURL, ConnectTimeout: 200 * time.Millisecond}),
		nobody{}, persistencetest.NewID, quiet())
	if took := time.Since(began); err == nil || took > long {
		t.Errorf("opened after %s: %v", took, err)
	}
	for range 2 {
		if n := round(time.Second); n != len(calls) {
			t.Errorf("%d of %d calls were answered as if the server were there", len(calls)-n, len(calls))
		}
	}
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything works again", func() bool { return round(long) == 0 })
	for _, c := range rooms {
		if keys := storedKeys(t, store, c.ID); len(keys) != 1 {
			t.Errorf("stored: %v, want one message", keys)
		}
	}
}
