package hub

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// New messages are reported once, with the number of connections that got them; other events,
// replays and events without subscribers are not.
func TestReachedReportsNewMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var reported []string
		n := start(t, Config{Reached: func(stream string, seqs []int64, connections int) {
			mu.Lock()
			defer mu.Unlock()
			for _, seq := range seqs {
				reported = append(reported, fmt.Sprint(stream, " ", seq, " to ", connections))
			}
		}}, nil)
		n.member("c", "ann", "bob")
		unheard := n.say("c", `"nobody listens"`)
		n.follower("ann")
		n.client("bob", SSE).attach("c", -1)
		n.publish(n.db.commit("c", Event{Op: "chat.updated", Data: []byte(`"plain"`)}))
		n.publish(n.db.commit("c", Event{Op: "message.edited", Target: unheard.Seq, Data: []byte(`"edited"`)}))
		first := n.say("c", `"first"`)
		synctest.Wait()
		n.client("ann", WebSocket).attach("c", first.Seq-1) // a replay
		lost := n.db.commit("c", Event{Op: "message.created", Data: []byte(`"comes by a repair"`)})
		n.say("c", `"last"`)
		time.Sleep(time.Second)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := []string{fmt.Sprint("c ", first.Seq, " to 2"), fmt.Sprint("c ", lost.Seq, " to 3"), fmt.Sprint("c ", lost.Seq+1, " to 3")}
		if !slices.Equal(reported, want) {
			t.Errorf("reported %q, want %q", reported, want)
		}
	})
}

// A traced event is reported once by each node that writes it, with the number of connections that
// got it; an event without a trace and a replay are not.
func TestDeliveredReportsTracedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var reported []Delivery
		n := start(t, Config{Delivered: func(d Delivery) {
			mu.Lock()
			defer mu.Unlock()
			d.Took = 0
			reported = append(reported, d)
		}}, nil)
		n.member("c", "ann", "bob")
		n.follower("ann")
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
		if err := n.hub.Receive("c", data, "there"); err != nil {
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
		if !slices.Equal(reported, want) {
			t.Errorf("reported %+v, want %+v", reported, want)
		}
	})
}

// A long round is followed by a rest as long as it took, within the bounds, in which frames gather;
// a quiet stream is not delayed at all.
func TestPumpRestsAfterALongRound(t *testing.T) {
	for took, rest := range map[time.Duration]time.Duration{
		900 * time.Microsecond: 0,
		10 * time.Millisecond:  10 * time.Millisecond,
		30 * time.Millisecond:  20 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			var rounds []time.Duration // when each round wrote, since the first message
			var begun time.Time
			n := start(t, Config{Reached: func(string, []int64, int) {
				rounds = append(rounds, time.Since(begun))
				time.Sleep(took) // the pump's round lasts until this returns
			}}, nil)
			n.member("c", "ann")
			ann := n.follower("ann")
			begun = time.Now()
			n.say("c", `"at once"`)
			synctest.Wait()
			n.say("c", `"gathers"`)
			time.Sleep(took + max(rest, took)/2)
			n.say("c", `"as well"`)
			time.Sleep(time.Second)
			synctest.Wait()
			want := []time.Duration{0, took + rest}
			if rest == 0 {
				want = append(want, 2*took)
			}
			if !slices.Equal(rounds, want) {
				t.Errorf("rounds that take %s are at %v, want them at %v", took, rounds, want)
			}
			at := time.Since(begun)
			n.say("c", `"quiet again"`)
			synctest.Wait()
			if got := rounds[len(rounds)-1]; got != at {
				t.Errorf("a message to a quiet stream was written at %s, it came at %s", got, at)
			}
			time.Sleep(took)
			ann.wantSeqs("c", 2, 3, 4, 5)
		})
	}
}
