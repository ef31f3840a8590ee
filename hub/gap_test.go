package hub

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A user is removed and added again while this node's stream lags. The new connection knows of the addition, the stream
// not even of the removal: neither that nor what was said in between may reach it.
func TestReadmissionAheadOfTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour, HoleDelayMin: time.Second, HoleDelayMax: time.Second}, nil)
		n.member("c", "ann", "bob") // 1, 2
		ann := n.client("ann", WebSocket)
		ann.attach("c", -1)
		late := []Event{
			n.db.commit("c", Event{Op: "member.removed", Subject: "bob"}),                   // 3
			n.db.commit("c", Event{Op: "message.created", Data: []byte("not for bob")}),     // 4
			n.db.commit("c", Event{Op: "member.added", Subject: "bob"}),                     // 5
			n.db.commit("c", Event{Op: "message.created", Data: []byte("read in history")}), // 6
		}
		bob := n.client("bob", WebSocket)
		attached := make(chan Attached)
		go func() { attached <- bob.attach("c", -1) }() // added 5, last 6
		time.Sleep(time.Millisecond)
		for _, e := range late {
			n.bus.from(t, e)
		}
		if got := <-attached; got.Outcome != Subscribed || got.Seq != 6 {
			t.Errorf("attach answers %+v, want Subscribed at 6", got)
		}
		n.say("c", "for bob again") // 7
		time.Sleep(2 * time.Second)
		bob.wantSeqs("c", 7)
		bob.wantCalls(t)
		ann.wantSeqs("c", 3, 4, 5, 6, 7)
	})
}

// A node stands still (SIGSTOP) while 600 events pass, the removal of a subscriber among them. Then the bus brings the
// latest, and nothing of what it has dropped.
func TestStoppedNodeCarriesNobodyOver(t *testing.T) {
	for name, heard := range map[string]int{"the bus brings the latest": 3, "the bus brings nothing": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t, Config{}, nil)
				n.member("c", "ann", "bob")
				ann, bob := n.client("ann", WebSocket), n.client("bob", WebSocket)
				ann.attach("c", -1)
				bob.attach("c", -1)
				n.lose("c", 299)
				n.db.commit("c", Event{Op: "member.removed", Subject: "bob"}) // 302
				n.lose("c", 300)                                              // … 602
				for range heard {
					n.hear("c")
				}
				time.Sleep(12 * time.Second)
				n.hear("c")
				last := n.db.position("c")
				time.Sleep(time.Second)
				if got := bob.seqs("c"); len(got) > 0 && slices.Max(got) > 302 {
					t.Errorf("bob got %d events up to %d, was removed at 302", len(got), slices.Max(got))
				}
				ann.wantSeqs("c") // she is told to read the history anew
				ann.wantReset(t, ReasonTooFar)
				bob.wantReset(t, ReasonTooFar)
				ann.attach("c", -1)
				n.say("c", "on we go")
				synctest.Wait()
				if got := ann.seqs("c"); len(got) == 0 || got[len(got)-1] != last+1 {
					t.Errorf("ann's latest is %v, want %d", got, last+1)
				}
				if n.hub.Subscribers("c") != 1 {
					t.Errorf("%d subscribers, want ann alone", n.hub.Subscribers("c"))
				}
			})
		})
	}
}

// wantReset fails unless the owner's only call was a reset for a reason.
func (o *owner) wantReset(t *testing.T, reason string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.calls) != 1 || !strings.HasPrefix(o.calls[0], "reset ") || !strings.HasSuffix(o.calls[0], " "+reason) {
		t.Errorf("owner was called %q, want one reset: %s", o.calls, reason)
	}
}
