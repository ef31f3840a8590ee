package hub

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLatestWaitsForASocket: of what replaces what was said before, a socket that is behind gets
// the newest, after the events, and a quick one everything.
func TestLatestWaitsForASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{QueueBytes: 1 << 20}, nil)
		n.member("c", "ann", "bob")
		ann, bob := n.follower("ann"), n.follower("bob")
		ann.sink.stick(true)
		n.say("c", strings.Repeat("x", 5000))
		synctest.Wait()
		for i := range 5 {
			for _, who := range []string{"x", "y"} {
				n.hub.Latest("c", "signal", who, fmt.Appendf(nil, `{"signal":"%s%d"}`, who, i), nil)
				synctest.Wait()
			}
			n.hub.Ephemeral("c", "typing", []byte(`{"typing":true}`), nil)
			synctest.Wait()
		}
		ann.sink.stick(false)
		synctest.Wait()
		got := strings.Join(ann.texts(), "\n")
		for text, times := range map[string]int{`"x4"`: 1, `"y4"`: 1, `"x3"`: 0, `"y0"`: 0, "typing": 0} {
			if n := strings.Count(got, text); n != times {
				t.Errorf("a socket that was behind got %s %d times, want %d", text, n, times)
			}
		}
		if strings.Index(got, "xxx") > strings.Index(got, `"x4"`) {
			t.Error("it overtook an event")
		}
		if all := strings.Join(bob.texts(), "\n"); strings.Count(all, `"signal"`) != 10 || strings.Count(all, "typing") != 5 {
			t.Errorf("a quick socket got %q", all)
		}
		if got := n.hub.Stats().QueuedBytes; got != 0 {
			t.Errorf("%d bytes are queued", got)
		}
	})
}

// TestLatestIsBounded: a socket that is behind keeps so many, and what closes it comes last.
func TestLatestIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{QueueBytes: 1 << 20}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		ann.sink.stick(true)
		n.say("c", strings.Repeat("x", 5000))
		synctest.Wait()
		for i := range 3 * maxLatest {
			n.hub.Latest("c", "signal", fmt.Sprint(i), []byte(`{"signal":1}`), nil)
			synctest.Wait()
		}
		ann.conn.wire.mu.Lock()
		kept := len(ann.conn.wire.backlog.latest)
		ann.conn.wire.mu.Unlock()
		if kept != maxLatest {
			t.Errorf("%d are kept", kept)
		}
		ann.conn.Close(4000, "drain")
		ann.sink.stick(false)
		time.Sleep(10 * time.Second)
		if frames := ann.frames(); closeCode(frames) != 4000 {
			t.Error("something follows the close frame")
		}
	})
}
