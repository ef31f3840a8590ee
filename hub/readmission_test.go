package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		bob := n.client("bob", WebSocket)
		bob.attach("c", -1)
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

// The removal and the addition are committed, the node has seen neither, and the owner attaches anew.
func TestReadmissionThatTheStreamHasNotSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		bob := n.client("bob", WebSocket)
		bob.attach("c", -1)
		n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})               // 3
		n.db.commit("c", Event{Op: "message.created", Data: []byte("not for bob")}) // 4
		n.db.commit("c", Event{Op: "member.added", Subject: "bob"})                 // 5
		if got := bob.attach("c", -1); got.Outcome != Subscribed {
			t.Errorf("attach answers %+v", got)
		}
		n.say("c", "with") // 6
		synctest.Wait()
		bob.wantSeqs("c", 3, 6)
		bob.wantCalls(t, "detached c 3")
	})
}

// A connection that joins and leaves chats for ever does not remember them for ever.
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

// An Attach comes with a position that was read before the subscription of the same connection ended.
func TestStaleAttachRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		bob := n.client("bob", WebSocket)
		bob.attach("c", -1)
		defer n.open("c")()
		stale, _ := n.db.membership("c", "bob")
		n.say("c", "3")
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})) // 4
		synctest.Wait()
		got, err := n.hub.Attach(t.Context(), bob.conn, stale)
		if err != nil || got.Outcome != Left || got.Seq != 4 {
			t.Errorf("attach answers %+v, %v; want Left at 4", got, err)
		}
		n.say("c", "not for bob")
		synctest.Wait()
		bob.wantSeqs("c", 3, 4)
	})
}
