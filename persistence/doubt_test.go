package persistence_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// cutter cuts a connection at a COMMIT: before the server sees it, or after, so that
// only the answer is lost.
type cutter struct {
	armed atomic.Int32 // 1: before, 2: after
	cuts  atomic.Int32
	apart atomic.Bool // a cut also makes the server unreachable, until down is cleared
	down  atomic.Bool
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.down.Load() {
		return nil, &net.OpError{Op: "dial", Err: errors.New("cut off")}
	}
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
	if c.c.down.Load() {
		c.Close()
		return 0, net.ErrClosed
	}
	how := c.c.armed.Load()
	if how == 0 || !bytes.Contains(b, []byte("COMMIT\x00")) || !c.c.armed.CompareAndSwap(how, 0) {
		return c.Conn.Write(b)
	}
	c.c.cuts.Add(1)
	if how == 2 {
		if _, err := c.Conn.Write(b); err != nil {
			return 0, err
		}
		// Once the answer has come the transaction is over; discard the answer.
		if _, err := c.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	c.c.down.Store(c.c.apart.Load())
	c.Close()
	return 0, net.ErrClosed
}

// counter is a publisher that counts events.
type counter struct{ n atomic.Int64 }

func (c *counter) Publish(events []chat.Event) { c.n.Add(int64(len(events))) }

// doubtful is an operation whose commit is cut off. A second run of it would have its
// effect twice or be refused. It returns a seq where there is one.
type doubtful struct {
	name   string
	events int64 // in the chat's stream
	others int64 // in personal streams, and in a chat that it creates
	run    func() (seq int64, err error)
}

// scene is a chat for doubtful operations.
type scene struct {
	svc      *chat.Service
	chat     chat.Chat
	ann, bob chat.User
	sent     chat.Sent
	cat      chat.User
	created  bool // as returned by the last creation
}

func newScene(t *testing.T, store *persistence.Store) *scene {
	t.Helper()
	rooms, people := persistencetest.Populate(t, store, 1, 3)
	s := &scene{svc: persistencetest.Service(store), chat: rooms[0], ann: people[0][0], bob: people[0][1], cat: people[0][2]}
	a := <-sendLater(store, message(s.chat, s.ann, "first"))
	if a.err != nil {
		t.Fatal(a.err)
	}
	s.sent = a.sent
	return s
}

// operations returns the operations, which must run in this order.
func (s *scene) operations(ctx context.Context) []doubtful {
	plans := chat.NewChat{Kind: chat.Private, Name: "plans", MemberIDs: []string{s.bob.ID, s.cat.ID}, Key: "new-chat"}
	direct := chat.NewChat{Kind: chat.Direct, MemberIDs: []string{s.bob.ID}}
	return []doubtful{
		{"send", 1, 0, func() (int64, error) {
			sent, err := s.svc.Send(ctx, message(s.chat, s.ann, "k"))
			return sent.Seq, err
		}},
		{"edit", 1, 0, func() (int64, error) {
			m, seq, err := s.svc.Edit(ctx, s.ann.ID, s.sent.MessageID, "new words", 1)
			if err == nil && (m.Version != 2 || m.Body != "new words") {
				return 0, errors.New("the answer is not the edited message")
			}
			return seq, err
		}},
		{"reaction", 1, 0, func() (int64, error) { return s.svc.React(ctx, s.ann.ID, s.sent.MessageID, "👍") }},
		{"deletion", 1, 0, func() (int64, error) { return s.svc.Delete(ctx, s.ann.ID, s.sent.MessageID) }},
		{"rename", 1, 0, func() (int64, error) {
			_, err := s.svc.UpdateChat(ctx, s.ann.ID, s.chat.ID, chat.ChatChange{Name: new("other")})
			return 0, err
		}},
		{"creation", 0, 4 + 3, func() (int64, error) { return s.create(ctx, plans) }},
		{"direct", 0, 3 + 2, func() (int64, error) { return s.create(ctx, direct) }},
		{"removal", 1, 1, func() (int64, error) { return s.svc.RemoveMember(ctx, s.ann.ID, s.chat.ID, s.bob.ID) }},
	}
}

func (s *scene) create(ctx context.Context, n chat.NewChat) (int64, error) {
	c, created, err := s.svc.CreateChat(ctx, s.ann.ID, n)
	s.created = created
	if err == nil && c.MemberCount != len(n.MemberIDs)+1 {
		return 0, errors.New("the answer is not the chat that was made")
	}
	return 0, err
}

// TestCommitWithoutAnswer: whether or not the COMMIT arrived, the caller gets the
// right answer, the events are published once, and nothing is stored twice.
func TestCommitWithoutAnswer(t *testing.T) {
	for name, how := range map[string]int32{"lost before": 1, "lost after": 2} {
		t.Run(name, func(t *testing.T) {
			cut, published := &cutter{}, &counter{}
			store := start(t, persistence.Config{URL: postgresURL(t)}.WithDial(cut.dial), published)
			s := newScene(t, store)
			last := s.sent.Seq
			for n, o := range s.operations(t.Context()) {
				before := published.n.Load()
				cut.armed.Store(how)
				seq, err := o.run()
				if err != nil || cut.cuts.Load() != int32(n+1) {
					t.Fatalf("%s: %v after %d cuts, want %d", o.name, err, cut.cuts.Load(), n+1)
				}
				if o.others > 1 && !s.created {
					t.Errorf("%s: answered as if it had existed before", o.name)
				}
				if last += o.events; seq != 0 && seq != last {
					t.Errorf("%s: seq %d, want %d", o.name, seq, last)
				}
				if n := published.n.Load() - before; n != o.events+o.others {
					t.Errorf("%s: published %d events, want %d", o.name, n, o.events+o.others)
				}
				events, err := store.StreamEvents(t.Context(), s.chat.ID, 0, 100)
				if err != nil || int64(len(events)) != last {
					t.Errorf("%s: %d events in the log, %v, want %d", o.name, len(events), err, last)
				}
			}
		})
	}
}

// TestOutcomeStaysUnknown: the database disappears right after a COMMIT. The caller
// learns that the outcome is unknown; trying again once the database is back gives
// what a single attempt would have given.
func TestOutcomeStaysUnknown(t *testing.T) {
	for name, how := range map[string]int32{"lost before": 1, "lost after": 2} {
		t.Run(name, func(t *testing.T) {
			cut := &cutter{}
			store := start(t, persistence.Config{URL: postgresURL(t)}.WithDial(cut.dial), nobody{})
			s := newScene(t, store)
			cut.apart.Store(true)
			last := s.sent.Seq
			for _, o := range s.operations(t.Context()) {
				cut.armed.Store(how)
				_, err := o.run()
				if chat.CodeOf(err) != chat.UnknownOutcome {
					t.Fatalf("%s: %v, want unknown_outcome", o.name, err)
				}
				cut.down.Store(false)
				_, err = o.run()
				if gone := o.name == "removal" && how == 2; err != nil && (!gone || chat.CodeOf(err) != chat.NotFound) {
					t.Fatalf("%s, tried again: %v", o.name, err)
				}
				last += o.events
				events, err := store.StreamEvents(t.Context(), s.chat.ID, 0, 100)
				if err != nil || int64(len(events)) != last {
					t.Errorf("%s: %d events in the log, %v, want %d", o.name, len(events), err, last)
				}
			}
			if ids, err := store.ChatIDs(t.Context(), s.ann.ID); err != nil || len(ids) != 3 {
				t.Errorf("%d chats, %v, want 3", len(ids), err)
			}
		})
	}
}
