package hub

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// New messages are told once, with how many got them; other events, replays and
// what nobody here listens to are not.
func TestReachedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		n := start(t, Config{Reached: func(stream string, seqs []int64, connections int) {
			mu.Lock()
			defer mu.Unlock()
			for _, seq := range seqs {
				told = append(told, fmt.Sprint(stream, " ", seq, " to ", connections))
			}
		}}, nil)
		n.member("c", "ann", "bob")
		unheard := n.say("c", `"nobody listens"`)
		n.client("ann", WebSocket).attach("c", -1)
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
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}
