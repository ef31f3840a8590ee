package hub

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// watch has the clients watch c from seq 2 on, with nothing else to keep the stream open.
func (n *node) watch(clients ...*client) {
	n.t.Helper()
	defer n.open("c")()
	for _, c := range clients {
		if err := n.hub.Watch(c.conn, "c", 2); err != nil {
			n.t.Fatal(err)
		}
	}
}

// TestWatch: the owner is told once, when the stream has moved, and gets no frame of it.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob")
		bob := n.client("bob", WebSocket)
		n.watch(bob)
		if err := n.hub.Watch(bob.conn, "elsewhere", 2); !errors.Is(err, ErrNotOpen) {
			t.Errorf("a stream that is not open: %v", err)
		}
		time.Sleep(2 * n.hub.cfg.Linger)
		bob.wantCalls(t)
		n.say("c", "hello")
		n.say("c", "again")
		synctest.Wait()
		bob.wantCalls(t, "reset c 3 moved")
		if docs := bob.documents(); len(docs) != 0 {
			t.Errorf("got the frames %v", docs)
		}
		time.Sleep(2 * n.hub.cfg.Linger)
		if n.hub.streams.find("c") != nil {
			t.Error("the stream is kept for nobody")
		}
	})
}

// TestWatchIsRepaired: what the bus loses, the position check finds.
func TestWatchIsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob")
		bob := n.client("bob", WebSocket)
		n.watch(bob)
		n.db.commit("c", Event{Op: "message.created", Data: []byte("lost")})
		time.Sleep(2 * n.hub.cfg.CheckIdle)
		bob.wantCalls(t, "reset c 3 moved")
	})
}

// TestWatchOfThePast: what has moved since the read is told at once.
func TestWatchOfThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob")
		n.follower("ann")
		n.say("c", "hello")
		bob := n.client("bob", WebSocket)
		n.watch(bob)
		synctest.Wait()
		bob.wantCalls(t, "reset c 3 moved")
	})
}

// TestWatchEndsWithAttach: whoever subscribes is not told any longer, and a connection
// that ends leaves nothing behind.
func TestWatchEndsWithAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob")
		bob, ann := n.client("bob", WebSocket), n.client("ann", WebSocket)
		n.watch(bob, ann)
		bob.attach("c", 2)
		ann.conn.CloseNow()
		synctest.Wait()
		n.say("c", "hello")
		synctest.Wait()
		bob.wantCalls(t)
		bob.wantSeqs("c", 3)
		if err := n.hub.Watch(ann.conn, "c", 3); !errors.Is(err, ErrClosed) {
			t.Errorf("a connection that has ended: %v", err)
		}
		if a, err := n.hub.Attach(context.Background(), bob.conn, Position{Stream: "c", Added: 2, Last: 3, After: 3}); err != nil || a.Outcome != Subscribed {
			t.Errorf("%+v %v", a, err)
		}
	})
}
