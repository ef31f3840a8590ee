package hub

import (
	"testing"
	"testing/synctest"
)

// TestEndedIsTheLastFrameOfAll: an event that ends a stream is everybody's last, also of
// whoever attaches beside it and of those who only watch.
func TestEndedIsTheLastFrameOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob", "eve")
		ann, bob, eve := n.follower("ann"), n.follower("bob"), n.client("eve", SSE)
		if err := n.hub.Watch(eve.conn, "c", 3); err != nil {
			t.Fatal(err)
		}
		e := n.db.commit("c", Event{Op: "chat.deleted", Kind: Ended})
		n.publish(e)
		n.say("c", "nobody hears this")
		synctest.Wait()
		for _, c := range []*client{ann, bob} {
			c.wantSeqs("c", 4)
			c.wantCalls(t, "detached c 4")
		}
		eve.wantCalls(t, "reset c 4 moved")
	})
}

// TestEndedBeforeAnAttach: a removal of all ends a replay like one's own.
func TestEndedBeforeAnAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob")
		n.follower("ann")
		n.publish(n.db.commit("c", Event{Op: "chat.deleted", Kind: Ended}))
		bob := n.client("bob", WebSocket)
		if a := bob.attach("c", 2); a.Outcome != Left || a.Seq != 3 {
			t.Errorf("attached: %+v", a)
		}
		synctest.Wait()
		bob.wantSeqs("c", 3)
	})
}
