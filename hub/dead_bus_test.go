package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// beside runs another hub on the same truth, on a bus of its own: neither hears of the other.
func (n *node) beside(t *testing.T, cfg Config) *node {
	cfg.PingEvery = 24 * time.Hour
	return run(t, cfg, n.db, n.db, newMedium())
}

// While NATS is down altogether, events travel from node to node by the position check.
func TestDeliveryWhileTheBusIsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, Config{}, nil)
		b := a.beside(t, Config{})
		a.member("c", "ann", "bob")
		ann, bob := a.client("ann", WebSocket), b.client("bob", WebSocket)
		ann.attach("c", -1)
		bob.attach("c", -1)
		a.hub.BusLost(true)
		b.hub.BusLost(true)
		time.Sleep(time.Minute) // the quiet must not make the checks back off
		var longest, sum time.Duration
		const count = 50
		for i := range count {
			from, to := a, bob
			if i%2 == 1 {
				from, to = b, ann
			}
			seq := from.say("c", fmt.Sprint(i)).Seq
			said := time.Now()
			for got := to.seqs("c"); len(got) == 0 || got[len(got)-1] < seq; got = to.seqs("c") {
				time.Sleep(5 * time.Millisecond)
				if time.Since(said) > 5*time.Second {
					t.Fatalf("event %d did not arrive", seq)
				}
			}
			took := time.Since(said)
			longest, sum = max(longest, took), sum+took
			time.Sleep(time.Duration(37*i) * time.Millisecond)
		}
		t.Logf("mean %s, longest %s", sum/count, longest)
		if longest > 310*time.Millisecond { // the check, and the delay of its repair
			t.Errorf("an event took %s", longest)
		}
		ann.wantSeqs("c", seqs(3, 2+count)...)
		bob.wantSeqs("c", seqs(3, 2+count)...)
	})
}

// The bus is connected and loses everything, and nobody notices. What concerns one user is still
// seen within 2 s, however long it was quiet: an invitation and, on every connection, a revoked
// session.
func TestPersonalEventsWhileTheBusLosesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, Config{}, nil)
		b := a.beside(t, Config{})
		conns := []*client{b.client("ann", WebSocket), b.client("ann", SSE)}
		for _, c := range conns {
			b.personal(c, -1)
		}
		for i := range 20 {
			time.Sleep(time.Duration(i) * 733 * time.Millisecond)
			a.publish(a.db.commit("ann", Event{Op: "chat.joined"}))
			time.Sleep(2 * time.Second)
			for _, c := range conns {
				c.mu.Lock()
				if len(c.calls) != i+1 || c.calls[i] != fmt.Sprintf("personal %d", i+1) {
					t.Errorf("2 s after event %d the owner was called %q", i+1, c.calls)
				}
				c.mu.Unlock()
			}
		}
	})
}

// The same for a user who connects while the event is on its way: it is read or heard.
func TestPersonalEventAroundTheAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &pausedPositions{begun: make(chan struct{}, 9), release: make(chan struct{}, 9)}
		a := start(t, Config{CheckEvery: time.Hour}, nil)
		src.truth = a.db
		b := run(t, Config{PingEvery: 24 * time.Hour}, a.db, src, newMedium())
		ann := b.client("ann", WebSocket)
		attached := make(chan bool)
		go func() { b.personal(ann, -1); attached <- true }()
		<-src.begun
		// After the read, before the subscription.
		a.publish(a.db.commit("ann", Event{Op: "session.revoked"}))
		close(src.release)
		<-attached
		time.Sleep(2 * time.Second)
		ann.wantCalls(t, "personal 1")
	})
}
