package presence_test

import (
	"fmt"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/presence/presencetest"
)

// bobWatchesAnn makes bob watch ann from the last node.
func bobWatchesAnn(w *town) *client {
	w.t.Helper()
	w.facts.share("ann", "bob", true)
	bob := w.join(w.nodes[len(w.nodes)-1], "bob")
	bob.watch("ann")
	w.pass(spread)
	bob.pushes("ann")
	return bob
}

func TestComingAndGoing(t *testing.T) {
	inTown(t, 3, func(w *town) {
		bob := bobWatchesAnn(w)
		ann := w.join(w.nodes[0], "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		w.pass(2 * time.Minute) // no news, no push
		bob.wantPushes("ann")
		ann.Active()
		active := chat.TimeOf(time.Now())
		w.pass(time.Minute)
		bob.wantPushes("ann")
		ann.Leave()
		ann.Leave()
		w.pass(presencetest.Grace - 2*time.Second)
		bob.wantPushes("ann")
		w.pass(2*time.Second + spread)
		told := bob.wantPushes("ann", chat.Offline)
		if len(told) == 1 && (told[0].LastActiveAt == nil || *told[0].LastActiveAt != active) {
			t.Errorf("last active %v, want %v", told[0].LastActiveAt, active)
		}
		if got := w.facts.lastActive("ann"); got != active {
			t.Errorf("saved %v, want %v", got, active)
		}
		w.pass(2 * time.Minute)
		bob.wantPushes("ann")
	})
}

func TestReconnectGoesUnnoticed(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		ann := w.join(w.nodes[0], "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		for i := range 10 {
			ann.Leave()
			w.pass(3 * time.Second)
			ann = w.join(w.nodes[i%2], "ann")
			w.pass(time.Duration(i+2) * time.Second)
		}
		w.pass(time.Minute)
		bob.wantPushes("ann")
	})
}

func TestSecondDeviceHolds(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		phone, desk := w.join(w.nodes[0], "ann"), w.join(w.nodes[1], "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		desk.Leave()
		w.pass(time.Minute)
		bob.wantPushes("ann")
		phone.Leave()
		w.pass(presencetest.Grace + spread)
		bob.wantPushes("ann", chat.Offline)
	})
}

func TestAwayAndBack(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		ann := w.join(w.nodes[0], "ann")
		for range 3 {
			w.pass(awayAfter - 10*time.Second)
			ann.Active()
		}
		w.pass(awayAfter - time.Second)
		bob.wantPushes("ann", chat.Online)
		active := chat.TimeOf(time.Now().Add(time.Second - awayAfter))
		w.pass(time.Second + spread)
		told := bob.wantPushes("ann", chat.Away)
		if len(told) == 1 && *told[0].LastActiveAt != active {
			t.Errorf("last active %v, want %v", told[0].LastActiveAt, active)
		}
		w.pass(10 * time.Minute)
		bob.wantPushes("ann")
		ann.Active()
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		w.pass(awayAfter + spread)
		bob.wantPushes("ann", chat.Away)
	})
}

// The most active device counts, on whatever node.
func TestActivityElsewhere(t *testing.T) {
	inTown(t, 3, func(w *town) {
		bob := bobWatchesAnn(w)
		w.join(w.nodes[0], "ann")
		desk := w.join(w.nodes[1], "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		for range 10 {
			w.pass(time.Minute)
			desk.Active()
		}
		bob.wantPushes("ann")
		desk.Leave()
		w.pass(awayAfter - time.Second)
		bob.wantPushes("ann")
		w.pass(time.Second + spread)
		bob.wantPushes("ann", chat.Away)
	})
}

// A reconnect by itself is not an activity.
func TestIdleReconnectStaysAway(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		ann := w.join(w.nodes[0], "ann")
		w.pass(awayAfter + spread)
		bob.wantPushes("ann", chat.Online, chat.Away)
		ann.Leave()
		w.pass(2 * time.Second)
		ann = w.join(w.nodes[1], "ann")
		w.pass(time.Minute)
		bob.wantPushes("ann")
		ann.Active()
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
	})
}

func TestSettings(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		ann := w.join(w.nodes[0], "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		for _, state := range []chat.PresenceState{chat.DND, chat.Away, chat.Online, chat.DND} {
			w.set(w.nodes[1], "ann", state)
			w.pass(spread)
			bob.wantPushes("ann", state)
		}
		w.pass(awayAfter + spread) // dnd takes precedence over away
		bob.wantPushes("ann")
		ann.Leave()
		w.pass(presencetest.Grace + spread)
		bob.wantPushes("ann", chat.Offline)
		w.set(w.nodes[0], "ann", chat.Away) // somebody offline stays offline
		w.pass(spread)
		bob.wantPushes("ann")
		w.join(w.nodes[0], "ann") // a setting outlives the devices
		w.pass(spread)
		bob.wantPushes("ann", chat.Away)
	})
}

func TestSettingOnlineIsActivity(t *testing.T) {
	inTown(t, 1, func(w *town) {
		bob := bobWatchesAnn(w)
		w.join(w.nodes[0], "ann")
		w.pass(awayAfter + spread)
		bob.wantPushes("ann", chat.Online, chat.Away)
		w.set(w.nodes[0], "ann", chat.Online)
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
	})
}

func TestStatusText(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		w.facts.status("ann", "at lunch")
		w.nodes[0].ProfileChanged("ann")
		w.pass(spread)
		if told := bob.wantPushes("ann", chat.Offline); len(told) == 1 && told[0].StatusText != "at lunch" {
			t.Errorf("status %q", told[0].StatusText)
		}
	})
}

// However much happens in a second, only its outcome is told, once.
func TestChangesAreGathered(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		w.join(w.nodes[0], "ann")
		w.pass(spread)
		bob.pushes("ann")
		before, reads := w.nodes[0].announcements(), w.facts.reads
		for i := range 50 {
			w.set(w.nodes[0], "ann", []chat.PresenceState{chat.DND, chat.Away}[i%2])
		}
		w.pass(spread)
		bob.wantPushes("ann", chat.Away)
		if n := w.nodes[0].announcements() - before; n != 1 {
			t.Errorf("%d announcements", n)
		}
		if n := w.facts.reads - reads; n > 3 { // a regular reread and a recheck may coincide
			t.Errorf("%d questions to the database", n)
		}
	})
}

func TestAnnouncementsAreBounded(t *testing.T) {
	inTown(t, 2, func(w *town) {
		for i := range 6000 {
			w.join(w.nodes[0], fmt.Sprint("user", i))
		}
		w.pass(10 * time.Second)
		total := 0
		for _, users := range w.nodes[0].announced {
			total += len(users)
			if len(users) > 5000 {
				t.Errorf("%d users in one announcement", len(users))
			}
		}
		if total != 6000 || len(w.nodes[0].announced) != 2 {
			t.Errorf("%d users in %d announcements", total, len(w.nodes[0].announced))
		}
	})
}

// A node that stops releases its leases: its people are offline after the grace
// period, not only when their leases expire.
func TestShutdown(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		w.facts.share("bob", "cid", true)
		bob.watch("ann", "cid")
		w.join(w.nodes[0], "ann")
		cid := w.join(w.nodes[0], "cid")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		bob.wantPushes("cid", chat.Online)
		cid.Leave() // with the stop, as sockets close first
		w.nodes[0].stop()
		w.pass(time.Second)
		w.join(w.nodes[1], "cid") // comes back elsewhere
		w.pass(presencetest.Grace - time.Second + spread)
		bob.wantPushes("ann", chat.Offline)
		bob.wantPushes("cid")
	})
}
