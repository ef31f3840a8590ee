package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// checksOf returns how often a stream's position was asked for.
func (d *truth) checksOf(stream string) (count int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, ids := range d.checks {
		for _, id := range ids {
			if id == stream {
				count++
			}
		}
	}
	return count
}

func TestPositionCheckFindsWhatTheBusLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.lose("c", 3)
		time.Sleep(2 * time.Second)
		ann.wantSeqs("c", 2, 3, 4)
		if s := n.hub.Stats(); s.RepairsCheck != 1 {
			t.Errorf("%d repairs after checks, want 1", s.RepairsCheck)
		}
	})
}

func TestPositionCheckFindsPersonalEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		ann := n.client("ann", WebSocket)
		n.personal(ann, -1)
		time.Sleep(5 * time.Minute) // never backs off
		n.db.commit("ann", Event{Op: "session.revoked"})
		time.Sleep(2 * time.Second)
		ann.wantCalls(t, "personal 1")
	})
}

// personal attaches a connection to its user's stream.
func (n *node) personal(c *client, pos int64) {
	n.t.Helper()
	defer n.open(c.conn.User())()
	if err := n.hub.AttachPersonal(n.t.Context(), c.conn, c.conn.User(), pos); err != nil {
		n.t.Fatal(err)
	}
}

func TestPositionCheckBacksOffAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		time.Sleep(time.Minute)
		before := n.db.checksOf("c")
		time.Sleep(10 * time.Minute)
		if got := n.db.checksOf("c") - before; got < 60 || got > 90 {
			t.Errorf("%d checks of a quiet chat in 10 minutes, want one in 7 to 10 seconds", got)
		}
		n.hear("c")
		n.lose("c", 1)
		time.Sleep(2 * time.Second)
		ann.wantSeqs("c", 2, 3)
	})
}

func TestPositionCheckIsQuickWhileTheBusIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.hub.BusLost(true)
		synctest.Wait()
		n.lose("c", 1)
		time.Sleep(310 * time.Millisecond)
		ann.wantSeqs("c", 2)
		before := n.db.checksOf("c")
		time.Sleep(10 * time.Second)
		if got := n.db.checksOf("c") - before; got < 35 || got > 41 {
			t.Errorf("%d checks in 10 seconds, want 40", got)
		}
		n.hub.BusLost(false)
		synctest.Wait()
		before = n.db.checksOf("c")
		time.Sleep(10 * time.Second)
		if got := n.db.checksOf("c") - before; got != 0 {
			t.Errorf("%d checks after the bus came back", got)
		}
	})
}

func TestCheckNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.lose("c", 1)
		n.hub.CheckNow()
		time.Sleep(51 * time.Millisecond)
		ann.wantSeqs("c", 2)
	})
}

func TestCheckNowIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		n.follower("ann")
		for range 1000 {
			n.hub.CheckNow()
			time.Sleep(time.Millisecond)
		}
		if got := n.db.checksOf("c"); got < 4 || got > 5 {
			t.Errorf("%d checks within a second, want one in 250 ms", got)
		}
	})
}

func TestPositionsAreReadInChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour, CheckChunk: 10}, nil)
		ann := n.client("ann", WebSocket)
		for i := range 25 {
			c := fmt.Sprintf("c%d", i)
			n.member(c, "ann")
			ann.attach(c, -1)
		}
		n.hub.CheckNow()
		synctest.Wait()
		n.db.mu.Lock()
		defer n.db.mu.Unlock()
		total := 0
		for _, ids := range n.db.checks {
			if total += len(ids); len(ids) > 10 {
				t.Errorf("a chunk of %d", len(ids))
			}
		}
		if total != 25 {
			t.Errorf("%d streams are checked, want 25", total)
		}
	})
}

func TestIdleRingIsFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		n.follower("ann")
		n.say("c", "2")
		synctest.Wait()
		if n.hub.Stats().RingBytes == 0 {
			t.Fatal("no ring")
		}
		time.Sleep(6 * time.Minute)
		if got := n.hub.Stats().RingBytes; got != 0 {
			t.Errorf("%d ring bytes left", got)
		}
	})
}

func TestRingsShareALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{RingBytes: 4000}, nil)
		ann := n.client("ann", WebSocket)
		for i := range 3 {
			c := fmt.Sprintf("c%d", i)
			n.member(c, "ann")
			ann.attach(c, -1)
			for range 20 {
				n.say(c, "some text")
			}
		}
		synctest.Wait()
		if got := n.hub.Stats().RingBytes; got > 4000+3*300 {
			t.Errorf("%d ring bytes, limit 4000", got)
		}
		bob := n.client("ann", WebSocket)
		bob.attach("c2", 1)
		synctest.Wait()
		if got := bob.seqs("c2"); len(got) != 20 {
			t.Errorf("got %v, want 20 events", got)
		}
	})
}
