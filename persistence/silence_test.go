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

// network carries connections until the open ones fall silent: nothing arrives any
// longer, without an error.
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

// TestSilentDatabase: a server that disappears silently blocks a statement for a
// bounded time; then other connections do the work.
func TestSilentDatabase(t *testing.T) {
	n := &network{}
	databaseURL := postgresURL(t)
	rooms, people := persistencetest.Populate(t, start(t, persistence.Config{URL: databaseURL}, nobody{}), 1, 2)
	ann := people[0][0]
	cfg := persistence.Config{URL: databaseURL, StatementTimeout: 500 * time.Millisecond, AcquireTimeout: 500 * time.Millisecond}
	store := start(t, cfg.WithDial(n.dial), nobody{})
	eventually(t, "the first send is stored", func() bool { return (<-sendLater(store, message(rooms[0], ann, "k0"))).err == nil })
	n.silences.Add(1)
	rename := make(chan error, 1)
	go func() {
		_, err := persistencetest.Service(store).UpdateChat(context.Background(), ann.ID, rooms[0].ID, chat.ChatChange{Name: new("x")})
		rename <- err
	}()
	patience := time.After(time.Minute)
	select {
	case a := <-sendLater(store, message(rooms[0], ann, "k1")):
		actionable(t, "send", a.err)
	case <-patience:
		t.Fatal("a send waits for ever")
	}
	select {
	case err := <-rename:
		actionable(t, "change", err)
	case <-patience:
		t.Fatal("a change waits for ever")
	}
	eventually(t, "sends are stored again", func() bool {
		a := <-sendLater(store, message(rooms[0], ann, "k1"))
		actionable(t, "send again", a.err)
		return a.err == nil
	})
}
