package hub

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		bob := n.follower("bob")
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})) // 3
		n.say("c", "without")                                                    // 4
		n.member("c", "bob")                                                     // 5
		bob.attach("c", -1)
		n.say("c", "with") // 6
		synctest.Wait()
		bob.wantSeqs("c", 3, 6)
		// An old removal, repeated, does not end the new membership.
		n.bus.from(t, Event{Stream: "c", Seq: 3, Op: "member.removed", Kind: Removed, Subject: "bob", Data: []byte("{}")})
		n.say("c", "still with") // 7
		synctest.Wait()
		bob.wantSeqs("c", 3, 6, 7)
		bob.wantCalls(t, "detached c 3")
	})
}

// The removal and the addition are committed, the node has seen neither, and the owner attaches
// again.
func TestReadmissionThatTheStreamHasNotSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		bob := n.follower("bob")
		n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})               // 3
		n.db.commit("c", Event{Op: "message.created", Data: []byte("not for bob")}) // 4
		n.db.commit("c", Event{Op: "member.added", Subject: "bob"})                 // 5
		if got := bob.attach("c", -1); got.Outcome != Subscribed {
			t.Errorf("Attach returned %+v", got)
		}
		n.say("c", "with") // 6
		synctest.Wait()
		bob.wantSeqs("c", 3, 6)
		bob.wantCalls(t, "detached c 3")
	})
}

// A connection that joins and leaves chats forever does not remember them forever.
func TestEndingsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{Linger: time.Second}, nil)
		bob := n.client("bob", WebSocket)
		for i := range 1000 {
			id := fmt.Sprint("c", i)
			n.member(id, "ann", "bob")
			bob.attach(id, -1)
			n.publish(n.db.commit(id, Event{Op: "member.removed", Subject: "bob"}))
			time.Sleep(100 * time.Millisecond)
		}
		bob.conn.mu.Lock()
		defer bob.conn.mu.Unlock()
		if got := len(bob.conn.ended); got > 2*fewEndings {
			t.Errorf("%d endings are remembered", got)
		}
	})
}

// An Attach brings a position that was read before the subscription of the same connection ended.
func TestStaleAttachRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		bob := n.follower("bob")
		defer n.open("c")()
		stale, _ := n.db.membership("c", "bob")
		n.say("c", "3")
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})) // 4
		synctest.Wait()
		got, err := n.hub.Attach(t.Context(), bob.conn, stale)
		if err != nil || got.Outcome != Left || got.Seq != 4 {
			t.Errorf("Attach returned %+v, %v; want Left at 4", got, err)
		}
		n.say("c", "not for bob")
		synctest.Wait()
		bob.wantSeqs("c", 3, 4)
	})
}

// A user is removed and added again while this node's stream lags. The new connection knows of the
// addition, the stream not even of the removal: neither the removal nor what was said in between
// may reach the connection.
func TestReadmissionAheadOfTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour, HoleDelayMin: time.Second, HoleDelayMax: time.Second}, nil)
		n.member("c", "ann", "bob") // 1, 2
		ann := n.follower("ann")
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
			t.Errorf("Attach returned %+v, want Subscribed at 6", got)
		}
		n.say("c", "for bob again") // 7
		time.Sleep(2 * time.Second)
		bob.wantSeqs("c", 7)
		bob.wantCalls(t)
		ann.wantSeqs("c", 3, 4, 5, 6, 7)
	})
}

// A node stands still (SIGSTOP) while 600 events pass, the removal of a subscriber among them. Then
// the bus brings the latest, and nothing of what it has dropped.
func TestStoppedNodeCarriesNobodyOver(t *testing.T) {
	for name, heard := range map[string]int{"the bus brings the latest": 3, "the bus brings nothing": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t, Config{}, nil)
				n.member("c", "ann", "bob")
				ann, bob := n.follower("ann"), n.follower("bob")
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
				ann.wantSeqs("c") // she is told to read the history again
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
