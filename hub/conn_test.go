package hub

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{PingEvery: 25 * time.Second}, nil)
		alive, silent, reader := n.client("a", WebSocket), n.client("b", WebSocket), n.client("c", SSE)
		for range 300 {
			time.Sleep(time.Second)
			alive.conn.Alive()
		}
		pings := 0
		for _, f := range alive.frames() {
			if f.op == 9 {
				pings++
			}
		}
		if pings < 11 || pings > 14 {
			t.Errorf("%d pings in 5 minutes, want one in 22.5 to 25 seconds", pings)
		}
		if alive.sink.isClosed() || reader.sink.isClosed() {
			t.Error("a living connection was closed")
		}
		silent.wantClosed(t, ErrHeartbeat)
		if !silent.sink.isClosed() {
			t.Error("the silent connection is open")
		}
		if got := strings.Count(reader.sink.written(), ": \n\n"); got < 19 || got > 24 {
			t.Errorf("%d comments in 5 minutes, want one in 13.5 to 15 seconds", got)
		}
	})
}

func TestSilentConnectionEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{PingEvery: 25 * time.Second}, nil)
		begun := time.Now()
		var mu sync.Mutex
		var took []time.Duration
		var clients []*client
		for range 200 {
			c := n.client("u", WebSocket)
			c.onCall(func(string) {
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(begun))
			})
			clients = append(clients, c)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if len(took) != len(clients) {
			t.Fatalf("%d of %d are closed", len(took), len(clients))
		}
		slices.Sort(took)
		first, last := took[0], took[len(took)-1]
		if first < 22*time.Second || last > 36*time.Second || last-first < 5*time.Second {
			t.Errorf("closed between %v and %v, want spread over 22.5 to 35 seconds", first, last)
		}
	})
}

func TestCloseSendsWhatIsQueuedThenTheFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		for i := range 3 {
			if err := c.conn.Send("op", fmt.Appendf(nil, "%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		c.conn.Close(4000, "drain")
		c.conn.Close(4500, "again")
		if err := c.conn.Send("op", []byte("late")); !errors.Is(err, ErrClosed) {
			t.Errorf("send after close: %v", err)
		}
		c.sink.stick(false)
		synctest.Wait()
		if got := c.texts(); !slices.Equal(got, []string{"0", "1", "2"}) || closeCode(c.frames()) != 4000 {
			t.Errorf("written %v", c.frames())
		}
		if c.sink.isClosed() {
			t.Error("closed without waiting for the peer")
		}
		time.Sleep(6 * time.Second)
		c.wantClosed(t, CloseError{4000, "drain"})
		c.wantCalls(t, "closed")
	})
}

func TestPeerAnswersTheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.conn.Close(4000, "drain")
		if _, err := c.wire.Write(closeFrame(4000, "")); err != nil { // what coder does when the answer arrives
			t.Error(err)
		}
		if err := c.wire.Close(); err != nil {
			t.Error(err)
		}
		if _, err := c.wire.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
		c.sink.hangUp()
		synctest.Wait()
		if got := len(c.frames()); got != 1 || closeCode(c.frames()) != 4000 {
			t.Errorf("written %v, want one close frame", c.frames())
		}
		if !c.sink.isClosed() || !c.sink.ended {
			t.Error("the socket is not ended in an orderly way at once")
		}
		c.wantClosed(t, CloseError{4000, "drain"})
	})
}

func TestReaderThatClosesWithACodeDoesNotLoseIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		if err := c.conn.Send("op", []byte("before")); err != nil {
			t.Fatal(err)
		}
		read := make(chan error)
		go func() {
			_, err := c.wire.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		if _, err := c.wire.Write(closeFrame(1009, "too big")); err != nil {
			t.Fatal(err)
		}
		if err := c.wire.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err == nil {
			t.Error("a blocked read survives Close")
		}
		c.sink.stick(false)
		time.Sleep(2 * time.Second)
		if got := c.frames(); len(got) != 2 || closeCode(got) != 1009 {
			t.Errorf("written %v, want the text and the close frame", got)
		}
		c.wantClosed(t, ErrGone)
	})
}

func TestClosingEndsEvenIfTheSocketIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		if err := c.conn.Send("op", []byte("never")); err != nil {
			t.Fatal(err)
		}
		c.conn.Close(4000, "drain")
		time.Sleep(6 * time.Second)
		c.wantClosed(t, CloseError{4000, "drain"})
		if !c.sink.isClosed() {
			t.Error("the socket is open")
		}
	})
}

func TestCloseOfSSEEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", SSE)
		if err := c.conn.SendRaw([]byte("id: 7\ndata: x\n\n")); err != nil {
			t.Fatal(err)
		}
		c.conn.Close(4000, "drain")
		time.Sleep(2 * time.Second)
		if got := c.sink.written(); got != "id: 7\ndata: x\n\n" {
			t.Errorf("written %q", got)
		}
		c.wantClosed(t, CloseError{4000, "drain"})
	})
}

func TestSlowConsumerIsClosedWith4002(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{QueueBytes: 10000}, nil)
		n.member("c", "ann", "bob")
		ann, bob := n.client("ann", WebSocket), n.client("bob", WebSocket)
		ann.attach("c", -1)
		bob.attach("c", -1)
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
			t.Errorf("%d frames, the last one is not close 4002", len(frames))
		}
		for i, s := range ann.seqs("c") {
			if s != int64(3+i) {
				t.Fatalf("got %v, want a beginning without a hole", ann.seqs("c"))
			}
		}
		ann.wantClosed(t, ErrSlow)
		bob.wantSeqs("c", seqs(3, 52)...)
		if got := n.hub.Stats().SlowCloses; got != 1 {
			t.Errorf("%d slow closes are counted", got)
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
			t.Errorf("%d drops are counted, want 2", got)
		}
	})
}

func TestEphemeralsDoNotGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{FlushDelay: time.Second}, nil)
		n.member("c", "ann")
		ann := n.client("ann", WebSocket)
		ann.attach("c", -1)
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
			c.conn.Pong(fmt.Appendf(nil, "%d", i))
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

func TestWireTakesOnlyControlFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		if _, err := c.wire.Write(appendText(nil, []byte("data"))); !errors.Is(err, errNotControl) {
			t.Errorf("data through the wire: %v", err)
		}
		synctest.Wait()
		if got := c.sink.written(); got != "" {
			t.Errorf("written %q", got)
		}
	})
}

func TestUsersAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		a1, a2, b, anonymous := n.client("a", WebSocket), n.client("a", SSE), n.client("b", WebSocket), n.client("", WebSocket)
		want := func(user string, want ...*client) {
			t.Helper()
			var conns []*Conn
			for _, c := range want {
				conns = append(conns, c.conn)
			}
			got := n.hub.Conns(user)
			for _, c := range conns {
				if !slices.Contains(got, c) {
					t.Errorf("a connection of %q is missing", user)
				}
			}
			if len(got) != len(conns) {
				t.Errorf("%d connections of %q, want %d", len(got), user, len(conns))
			}
		}
		want("a", a1, a2)
		anonymous.conn.Identify("b")
		want("b", b, anonymous)
		want("")
		a1.conn.CloseNow()
		synctest.Wait()
		want("a", a2)
		a1.conn.Identify("b")
		want("b", b, anonymous)
		if got := len(n.hub.AllConns()); got != 3 {
			t.Errorf("%d connections, want 3", got)
		}
	})
}

func TestRegisterOfAClosedWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		w := n.hub.NewWire(newSink(), []byte("read ahead"))
		p := make([]byte, 4)
		if k, err := w.Read(p); err != nil || string(p[:k]) != "read" {
			t.Errorf("read %q, %v", p[:k], err)
		}
		if k, err := w.Read(make([]byte, 99)); err != nil || k != 6 {
			t.Errorf("read %d, %v", k, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		o := &owner{}
		n.hub.Register(w, WebSocket, "a", o)
		synctest.Wait()
		o.wantClosed(t, ErrGone)
		if got := len(n.hub.AllConns()); got != 0 {
			t.Errorf("%d connections are left", got)
		}
	})
}

func TestOwnerThatPanicsLosesItsConnectionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		bad, good := n.client("u", WebSocket), n.client("u", WebSocket)
		n.personal(bad, -1)
		n.personal(good, -1)
		bad.onCall(func(call string) {
			if strings.HasPrefix(call, "personal") {
				panic(call)
			}
		})
		n.publish(n.db.commit("u", Event{}))
		synctest.Wait()
		n.publish(n.db.commit("u", Event{}))
		synctest.Wait()
		good.wantCalls(t, "personal 1", "personal 2")
		bad.wantCalls(t, "personal 1", "closed")
	})
}

func TestOwnerThatHangsLosesItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("u", WebSocket)
		n.personal(c, -1)
		release := make(chan bool)
		c.onCall(func(call string) {
			if call == "personal 1" {
				<-release
			}
		})
		n.publish(n.db.commit("u", Event{}))
		synctest.Wait()
		for range maxCalls + 1 {
			n.publish(n.db.commit("u", Event{}))
		}
		synctest.Wait()
		if !c.sink.isClosed() {
			t.Error("the connection is open")
		}
		close(release)
		synctest.Wait()
		c.wantClosed(t, ErrBacklog)
	})
}
