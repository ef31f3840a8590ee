package hub

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowConsumerIsClosedWith4002(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{QueueBytes: 10000}, nil)
		n.member("c", "ann", "bob")
		ann, bob := n.follower("ann"), n.follower("bob")
		ann.sink.stick(true)
		for range 50 {
			n.say("c", strings.Repeat("x", 1000))
			synctest.Wait()
		}
		if got := n.hub.Stats().QueuedBytes; got > 11100 {
			t.Errorf("%d bytes are queued", got)
		}
		if got := n.hub.Subscribers("c"); got != 1 {
			t.Errorf("%d subscribers, want the quick one", got)
		}
		ann.sink.stick(false)
		time.Sleep(6 * time.Second)
		frames := ann.frames()
		if closeCode(frames) != 4002 {
			t.Errorf("%d frames, the last one is not a close frame with 4002", len(frames))
		}
		for i, s := range ann.seqs("c") {
			if s != int64(3+i) {
				t.Fatalf("got %v, want a prefix without a hole", ann.seqs("c"))
			}
		}
		ann.wantClosed(t, ErrSlow)
		bob.wantSeqs("c", seqs(3, 52)...)
		if got := n.hub.Stats().SlowCloses; got != 1 {
			t.Errorf("%d slow closes", got)
		}
	})
}

func TestQueueWithoutLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{QueueBytes: -1}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		for range 100 {
			if err := c.conn.Send("op", make([]byte, 100<<10)); err != nil {
				t.Fatal(err)
			}
		}
		c.sink.stick(false)
		synctest.Wait()
		if got := len(c.texts()); got != 100 {
			t.Errorf("%d documents, want 100", got)
		}
	})
}

func TestStalledSocketIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", SSE) // no pings that would end it earlier
		c.sink.stick(true)
		if err := c.conn.Send("op", []byte("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(16 * time.Second)
		c.wantClosed(t, ErrStalled)
	})
}

func TestEphemeralsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob", "eve")
		ann, bob, eve := n.client("ann", WebSocket), n.client("bob", WebSocket), n.client("eve", SSE)
		for _, c := range []*client{ann, bob, eve} {
			c.attach("c", -1)
		}
		bob.sink.stick(true)
		n.say("c", "4")
		synctest.Wait()
		n.hub.Ephemeral("c", "typing", []byte(`{"text":"ann types"}`), func(user string) bool { return user != "ann" })
		n.hub.Ephemeral("nowhere", "typing", []byte(`{}`), nil)
		synctest.Wait()
		bob.conn.SendEphemeral("presence", []byte(`{}`))
		bob.sink.stick(false)
		synctest.Wait()
		n.say("c", "5")
		synctest.Wait()
		ann.wantSeqs("c", 4, 5)
		bob.wantSeqs("c", 4, 5)
		eve.wantSeqs("c", 4, 5)
		if got := len(ann.texts()); got != 2 {
			t.Errorf("the typing user got %d documents, want 2", got)
		}
		if got := len(bob.texts()); got != 2 {
			t.Errorf("the busy connection got %d documents, want 2", got)
		}
		if got := eve.texts(); len(got) != 3 || got[1] != `{"text":"ann types"}` {
			t.Errorf("the other got %q", got)
		}
		if got := n.hub.Stats().EphemeralDrops; got != 2 {
			t.Errorf("%d drops, want 2", got)
		}
	})
}

func TestEphemeralsDoNotGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{FlushDelayMin: time.Second}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		for range 1000 {
			n.hub.Ephemeral("c", "typing", []byte(`{}`), nil)
		}
		time.Sleep(3 * time.Second)
		if got := len(ann.texts()); got > maxEphemerals {
			t.Errorf("%d documents, want at most %d", got, maxEphemerals)
		}
	})
}

func TestPongsUnderBacklogAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		if err := c.conn.Send("op", []byte("first")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i := range 1000 {
			c.wire.pong(fmt.Appendf(nil, "%d", i))
		}
		if err := c.conn.Send("op", []byte("second")); err != nil {
			t.Fatal(err)
		}
		if got := n.hub.Stats().QueuedBytes; got > 100 {
			t.Errorf("%d bytes are queued", got)
		}
		c.sink.stick(false)
		synctest.Wait()
		got := c.frames()
		if len(got) != 3 || got[1].op != 10 || string(got[1].payload) != "999" {
			t.Errorf("written %v, want the last pong between the texts", got)
		}
	})
}
