package hub

import (
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
			alive.wire.alive()
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
			t.Error("a live connection was closed")
		}
		silent.wantClosed(t, ErrHeartbeat)
		if !silent.sink.isClosed() {
			t.Error("the silent connection is still open")
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

func TestConnectionsOfAUser(t *testing.T) {
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
		anonymous.conn.Identify("b", 2)
		want("b", b, anonymous)
		want("")
		if a1.conn.Identify("b", 2) {
			t.Error("a third connection of a user who may have two")
		}
		want("a", a1, a2)
		a1.conn.CloseNow()
		synctest.Wait()
		want("a", a2)
		a1.conn.Identify("b", 0)
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
		w.readerLeft()
		o := &owner{}
		n.hub.Register(w, WebSocket, "a", o)
		synctest.Wait()
		o.wantClosed(t, ErrGone)
		if got := len(n.hub.AllConns()); got != 0 {
			t.Errorf("%d connections left", got)
		}
	})
}

func TestPanickingOwnerLosesOnlyItsConnection(t *testing.T) {
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

func TestHangingOwnerLosesItsConnection(t *testing.T) {
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
			t.Error("the connection is still open")
		}
		close(release)
		synctest.Wait()
		c.wantClosed(t, ErrOwnerBehind)
	})
}
