package persistence_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// network carries connections, until those that are open fall silent: nothing
// arrives any more, and nobody says so.
type network struct{ silences atomic.Int32 }

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, kind, address)
	return &silentConn{Conn: conn, n: n, born: n.silences.Load()}, err
}

type silentConn struct {
	net.Conn
	n    *network
	born int32
}

func (c *silentConn) Write(b []byte) (int, error) {
	if c.n.silences.Load() > c.born {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// TestSilentDatabase: a server that is gone without a word holds a statement for
// a bounded time, and then other connections do the work.
func TestSilentDatabase(t *testing.T) {
	n := &network{}
	cfg := persistence.Config{URL: postgresURL(t), StatementTimeout: 200 * time.Millisecond, AcquireTimeout: 200 * time.Millisecond}
	store := start(t, cfg.WithDial(n.dial), nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	ann := people[0][0]
	if a := <-sendLater(store, message(rooms[0], ann, "k0")); a.err != nil {
		t.Fatal(a.err)
	}
	n.silences.Add(1)
	rename := make(chan error, 1)
	go func() {
		_, err := persistencetest.Service(store).UpdateChat(context.Background(), ann.ID, rooms[0].ID, chat.ChatChange{Name: new("x")})
		rename <- err
	}()
	patience := time.After(15 * time.Second)
	answered := func(what string, err error) {
		if code := chat.CodeOf(err); err != nil && code != chat.Unavailable && code != chat.UnknownOutcome {
			t.Errorf("%s: %v", what, err)
		}
	}
	select {
	case a := <-sendLater(store, message(rooms[0], ann, "k1")):
		answered("send", a.err)
	case <-patience:
		t.Fatal("a send waits for ever")
	}
	select {
	case err := <-rename:
		answered("change", err)
	case <-patience:
		t.Fatal("a change waits for ever")
	}
	eventually(t, "sends are stored again", func() bool {
		a := <-sendLater(store, message(rooms[0], ann, "k1"))
		answered("send again", a.err)
		return a.err == nil
	})
}
