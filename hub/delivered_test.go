package hub

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// What is followed is told once for each node that writes it, with how many got
// it; what is not, and what is replayed, is not told.
func TestFollowedDeliveryIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []Delivery
		n := start(t, Config{Delivered: func(d Delivery) {
			mu.Lock()
			defer mu.Unlock()
			d.Took = 0
			told = append(told, d)
		}}, nil)
		n.member("c", "ann", "bob")
		n.client("ann", WebSocket).attach("c", -1)
		n.client("bob", SSE).attach("c", -1)
		n.say("c", `"not followed"`)
		e := n.db.commit("c", Event{Op: "message.created", Data: []byte(`"followed"`)})
		e.Trace = "here"
		n.publish(e)
		synctest.Wait()
		other := n.db.commit("c", Event{Op: "message.created", Data: []byte(`"of another node"`)})
		data, err := other.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.hub.Receive(data, "there"); err != nil {
			t.Fatal(err)
		}
		n.client("ann", WebSocket).attach("c", e.Seq-1) // a replay
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := []Delivery{
			{Trace: "here", Stream: "c", Seq: e.Seq, Connections: 2},
			{Trace: "there", Stream: "c", Seq: other.Seq, Connections: 2},
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %+v, want %+v", told, want)
		}
	})
}
