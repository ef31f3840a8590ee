package presence_test

import (
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/presence/presencetest"
)

// Two nodes on one Redis, in real time but for the grace.
func TestTrackersOverRedis(t *testing.T) {
	leases := redisWorld(t)
	w := newTown(t, leases.First, 1)
	w.node(leases.Second)
	defer w.stop()
	w.facts.share("ann", "bob", true)
	bob := w.join(w.nodes[1], "bob")
	if list := bob.watch("ann"); list[0].State != chat.Offline {
		t.Fatalf("before: %s", list[0].State)
	}
	ann := w.join(w.nodes[0], "ann")
	waitShows(t, bob, "ann", chat.Online)
	w.set(w.nodes[1], "ann", chat.DND)
	waitShows(t, bob, "ann", chat.DND)
	ann.Leave()
	ann = w.join(w.nodes[1], "ann")
	ann.Active()
	waitFor(t, "the renewal", func() bool { return w.nodes[1].Calm() })
	ann.Leave()
	waitFor(t, "the release", func() bool { return w.nodes[1].Calm() })
	leases.Advance(presencetest.Grace)
	waitShows(t, bob, "ann", chat.Offline)
	bob.wantPushes("ann", chat.Online, chat.DND, chat.Offline)
	waitFor(t, "her last activity", func() bool { return w.facts.lastActive("ann") > 0 })
}

func waitShows(t *testing.T, c *client, user string, want chat.PresenceState) {
	t.Helper()
	waitFor(t, string(want), func() bool { return c.shows(user) == want })
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(recovery); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come", what)
		}
	}
}
