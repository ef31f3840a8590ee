package presence_test

import (
	"slices"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/presence/presencetest"
)

// Two nodes on one Redis, in real time except for the grace period.
func TestTrackersOverRedis(t *testing.T) {
	t.Parallel()
	leases := worldOn(t, ownRedis(t))
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
	var told []chat.PresenceState
	for _, p := range bob.pushes("ann") {
		if p.State != chat.Unknown { // to a busy machine Redis may seem to stand still
			told = append(told, p.State)
		}
	}
	if want := []chat.PresenceState{chat.Online, chat.DND, chat.Offline}; !slices.Equal(slices.Compact(told), want) {
		t.Errorf("bob was told %v, want %v", told, want)
	}
	waitFor(t, "her last activity", func() bool { return w.facts.lastActive("ann") > 0 })
}

// Redis came back empty, so that for a while nobody's absence is known. Ann, who becomes
// invisible meanwhile, is told to be offline at once.
func TestInvisibleOnAnEmptyRedis(t *testing.T) {
	t.Parallel()
	s := ownRedis(t)
	leases := worldOn(t, s)
	w := newTown(t, leases.First, 1)
	w.node(leases.Second)
	defer w.stop()
	w.facts.share("ann", "bob", true)
	bob := w.join(w.nodes[1], "bob")
	bob.watch("ann")
	w.join(w.nodes[0], "ann")
	waitShows(t, bob, "ann", chat.Online)
	if err := s.Empty(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "ann's renewal", func() bool {
		readings, err := leases.First.Read(t.Context(), []string{"ann"})
		return err == nil && readings[0].Here
	})
	waitShows(t, bob, "ann", chat.Online)
	bob.pushes("ann")
	w.set(w.nodes[0], "ann", chat.Invisible)
	var told []chat.Presence
	waitFor(t, "news of ann", func() bool { told = bob.pushes("ann"); return len(told) > 0 })
	if told[0].State != chat.Offline {
		t.Errorf("bob was told %v, want offline first", told)
	}
}

func waitShows(t *testing.T, c *client, user string, want chat.PresenceState) {
	t.Helper()
	waitFor(t, string(want), func() bool { return c.shows(user) == want })
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(recovery); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", recovery, what)
		}
	}
}
