package persistence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

func asError(err error, e **chat.Error) bool { return errors.As(err, e) }

// unavailable fails unless err says that the database is away, in words of ours.
func unavailable(t *testing.T, what string, err error) {
	t.Helper()
	var e *chat.Error
	if !asError(err, &e) || e.Code != chat.Unavailable || e.RetryAfter <= 0 {
		t.Errorf("%s: %v, want unavailable with a time", what, err)
		return
	}
	if !strings.HasPrefix(e.Detail, "the database ") {
		t.Errorf("%s: the detail is %q", what, e.Detail)
	}
}

// TestDatabaseThatRefusesWrites: full or read-only, reads go on, writes are
// refused, and all is well again afterwards, without a hole.
func TestDatabaseThatRefusesWrites(t *testing.T) {
	for name, set := range map[string]struct{ broken, mended string }{
		"full":      {"PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1073741823"},
		"read-only": {"PRAGMA query_only = 1", "PRAGMA query_only = 0"},
	} {
		t.Run(name, func(t *testing.T) {
			store := start(t, persistence.Config{URL: sqliteURL(t)}, nobody{})
			rooms, people := persistencetest.Populate(t, store, 1, 2)
			c, ann, bob := rooms[0], people[0][0], people[0][1]
			svc := persistencetest.Service(store)
			big := strings.Repeat("x", 16_000) // it needs pages that a full database has not
			if err := store.OnWriter(t.Context(), set.broken); err != nil {
				t.Fatal(err)
			}
			_, err := svc.Send(t.Context(), chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: "k", Body: big})
			unavailable(t, "send", err)
			// A connection that failed is replaced; the trouble is still there.
			if err := store.OnWriter(t.Context(), set.broken); err != nil {
				t.Fatal(err)
			}
			_, err = svc.UpdateChat(t.Context(), ann.ID, c.ID, chat.ChatChange{Topic: new(strings.Repeat("é", 1000)), Name: new("x")})
			if name == "read-only" || err != nil {
				unavailable(t, "change", err)
			}
			if err := store.OnWriter(t.Context(), set.broken); err != nil {
				t.Fatal(err)
			}
			if name == "read-only" {
				_, err = store.Canary(t.Context(), "node")
				unavailable(t, "canary", err)
			}
			if err := store.Ping(t.Context()); err != nil {
				t.Errorf("ping: %v", err)
			}
			before, err := store.Entry(t.Context(), bob.ID, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := store.OnWriter(t.Context(), set.mended); err != nil {
				t.Fatal(err)
			}
			sent, err := svc.Send(t.Context(), chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: "k", Body: big})
			if err != nil || sent.Seq != before.LastSeq+1 || sent.Replayed {
				t.Errorf("after it was mended: %+v, %v, want seq %d", sent, err, before.LastSeq+1)
			}
		})
	}
}

// TestBusyDatabase: another process holds the lock for longer than we wait.
func TestBusyDatabase(t *testing.T) {
	databaseURL := sqliteURL(t)
	store := start(t, persistence.Config{URL: databaseURL, LockTimeout: 10 * time.Millisecond}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	other, err := raw(t, databaseURL).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	a := <-sendLater(store, message(rooms[0], people[0][0], "k"))
	unavailable(t, "send", a.err)
	_, err = persistencetest.Service(store).React(t.Context(), people[0][0].ID, persistencetest.NewID(), "👍")
	if chat.CodeOf(err) != chat.NotFound {
		t.Errorf("a read goes on: %v", err)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if a := <-sendLater(store, message(rooms[0], people[0][0], "k")); a.err != nil {
		t.Error(a.err)
	}
}

// TestLostConnections: the server ended every connection. Nobody is told so, for
// the next ones work: neither readers nor writers, however many come at once.
func TestLostConnections(t *testing.T) {
	databaseURL := postgresURL(t)
	store := start(t, persistence.Config{URL: databaseURL, Connections: 4}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 4, 2)
	svc, db := persistencetest.Service(store), raw(t, databaseURL)
	for round := range 3 {
		var all sync.WaitGroup
		for i, c := range rooms {
			ann := people[i][0]
			for what, call := range map[string]func() error{
				"send": func() error { return (<-sendLater(store, message(c, ann, fmt.Sprint("k", round)))).err },
				"change": func() error {
					_, err := svc.UpdateChat(t.Context(), ann.ID, c.ID, chat.ChatChange{Topic: new(fmt.Sprint(round))})
					return err
				},
				"update": func() error { return store.SavePassword(t.Context(), ann.ID, "hash", "") },
				"list":   func() error { _, err := store.Entry(t.Context(), ann.ID, c.ID); return err },
				"read":   func() error { _, err := store.User(t.Context(), ann.ID); return err },
				"replay": func() error { _, err := store.StreamEvents(t.Context(), c.ID, 0, 10); return err },
				"ping":   func() error { return store.Ping(t.Context()) },
				"canary": func() error { _, err := store.Canary(t.Context(), "node"); return err },
			} {
				all.Go(func() {
					if err := call(); err != nil {
						t.Errorf("%s in round %d: %v", what, round, err)
					}
				})
			}
		}
		all.Wait()
		others := " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
		execRaw(t, db, "SELECT pg_terminate_backend(pid)"+others)
		eventually(t, "the connections are gone", func() bool {
			var left int
			return db.QueryRowContext(t.Context(), "SELECT count(*)"+others).Scan(&left) == nil && left == 0
		})
	}
	for _, c := range rooms {
		events, err := store.StreamEvents(t.Context(), c.ID, 0, 100)
		if err != nil || len(events) != 3+3+3 {
			t.Errorf("%d events, %v, want 9", len(events), err)
		}
	}
}

// cutter cuts a connection in the moment of a COMMIT: before the server sees it,
// or after, so that only the answer is lost.
type cutter struct {
	armed atomic.Int32 // 1: before, 2: after
	cuts  atomic.Int32
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, c: c}, nil
}

type cutConn struct {
	net.Conn
	c *cutter
}

func (c *cutConn) Write(b []byte) (int, error) {
	how := c.c.armed.Load()
	if how == 0 || !bytes.Contains(b, []byte("COMMIT\x00")) || !c.c.armed.CompareAndSwap(how, 0) {
		return c.Conn.Write(b)
	}
	c.c.cuts.Add(1)
	if how == 2 {
		if _, err := c.Conn.Write(b); err != nil {
			return 0, err
		}
		// The answer has come when the transaction is over; it is thrown away.
		if _, err := c.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	c.Close()
	return 0, net.ErrClosed
}

// TestCommitWithoutAnswer: whether the COMMIT arrived or not, the caller gets
// the right answer, the event is published once, and nothing is stored twice.
func TestCommitWithoutAnswer(t *testing.T) {
	for name, how := range map[string]int32{"lost before": 1, "lost after": 2} {
		t.Run(name, func(t *testing.T) {
			cut, published := &cutter{}, &counter{}
			store := start(t, persistence.Config{URL: postgresURL(t)}.WithDial(cut.dial), published)
			rooms, people := persistencetest.Populate(t, store, 1, 2)
			c, ann := rooms[0], people[0][0]
			svc := persistencetest.Service(store)
			before := published.n.Load()
			cut.armed.Store(how)
			a := <-sendLater(store, message(c, ann, "k"))
			if a.err != nil || a.sent.Replayed || a.sent.Seq != 4 {
				t.Errorf("send: %+v, %v, want seq 4", a.sent, a.err)
			}
			cut.armed.Store(how)
			seq, err := svc.React(t.Context(), ann.ID, a.sent.MessageID, "👍")
			if err != nil || seq != 5 {
				t.Errorf("reaction: seq %d, %v, want 5", seq, err)
			}
			cut.armed.Store(how)
			direct, created, err := svc.CreateChat(t.Context(), ann.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{people[0][1].ID}})
			if err != nil || !created {
				t.Errorf("chat: created %v, %v", created, err)
			}
			if cut.cuts.Load() != 3 {
				t.Fatalf("%d connections were cut, want 3", cut.cuts.Load())
			}
			// 1 message, 1 reaction, 3 events of the new chat and 2 personal ones.
			if n := published.n.Load() - before; n != 7 {
				t.Errorf("%d events were published, want 7", n)
			}
			for id, want := range map[string]int{c.ID: 5, direct.ID: 3} {
				events, err := store.StreamEvents(t.Context(), id, 0, 100)
				if err != nil || len(events) != want {
					t.Errorf("%d events, %v, want %d", len(events), err, want)
				}
			}
		})
	}
}

type counter struct{ n atomic.Int64 }

func (c *counter) Publish(events []chat.Event) { c.n.Add(int64(len(events))) }
