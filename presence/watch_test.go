package presence_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/presence"
)

func users(list []chat.Presence) []string {
	var ids []string
	for _, p := range list {
		ids = append(ids, p.UserID)
	}
	return ids
}

func TestWatchAnswersAsThingsAre(t *testing.T) {
	inTown(t, 2, func(w *town) {
		for _, friend := range []string{"ann", "cid", "dan"} {
			w.facts.share("bob", friend, true)
		}
		w.facts.add("zoe")
		w.join(w.nodes[0], "ann")
		w.join(w.nodes[0], "zoe")
		w.pass(spread)
		bob := w.join(w.nodes[1], "bob")
		w.pass(spread)
		list := bob.watch("dan", "zoe", "ann", "nobody", "bob", "ann")
		if got := users(list); !slices.Equal(got, []string{"dan", "ann", "bob"}) {
			t.Fatalf("answered %v", got)
		}
		for i, want := range []chat.PresenceState{chat.Offline, chat.Online, chat.Online} {
			if list[i].State != want {
				t.Errorf("%s is %s, want %s", list[i].UserID, list[i].State, want)
			}
		}
		w.pass(time.Minute + spread)
		for _, u := range []string{"ann", "dan", "zoe", "bob"} { // the answer is not pushed again
			bob.wantPushes(u)
		}
	})
}

func TestWatchReplacesTheLast(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		w.facts.share("bob", "cid", true)
		bob.watch("cid")
		w.pass(spread)
		w.join(w.nodes[0], "ann")
		w.join(w.nodes[0], "cid")
		w.pass(time.Minute)
		bob.wantPushes("ann")
		bob.wantPushes("cid", chat.Online)
		bob.watch()
		w.set(w.nodes[0], "cid", chat.DND)
		w.pass(time.Minute)
		bob.wantPushes("cid")
	})
}

func TestWatchIsBounded(t *testing.T) {
	inTown(t, 1, func(w *town) {
		bob := bobWatchesAnn(w)
		many := make([]string, chat.MaxPresences+1)
		for i := range many {
			many[i] = "ann"
		}
		if _, err := bob.Watch(context.Background(), many); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("watch: %v", err)
		}
		if _, err := w.nodes[0].Read(context.Background(), "bob", many); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("read: %v", err)
		}
		if list := bob.watch(many[1:]...); len(list) != 1 {
			t.Errorf("answered %v", list)
		}
		w.join(w.nodes[0], "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
	})
}

// A change between the answer and the first push is not lost, and does not
// overtake the answer.
func TestChangeRightAfterWatch(t *testing.T) {
	inTown(t, 2, func(w *town) {
		other := bobWatchesAnn(w) // somebody else has watched all along
		for i := range 20 {
			cid := w.join(w.nodes[1], "cid")
			w.facts.share("ann", "cid", true)
			w.pass(time.Duration(i) * 53 * time.Millisecond)
			want := []chat.PresenceState{chat.DND, chat.Away}[i%2]
			ann := w.join(w.nodes[0], "ann")
			cid.watch("ann")
			w.set(w.nodes[0], "ann", want)
			cid.wantPushes("ann")
			w.pass(spread)
			if got := cid.shows("ann"); got != want {
				t.Errorf("round %d: shows %s, want %s", i, got, want)
			}
			cid.Leave()
			ann.Leave()
		}
		w.pass(time.Minute)
		if got := other.shows("ann"); got != chat.Offline {
			t.Errorf("shows %s", got)
		}
	})
}

func TestLeavingEndsTheWatch(t *testing.T) {
	inTown(t, 1, func(w *town) {
		bob := bobWatchesAnn(w)
		bob.Leave()
		w.join(w.nodes[0], "ann")
		w.pass(time.Minute)
		bob.wantPushes("ann")
		if _, err := bob.Watch(context.Background(), []string{"ann"}); err != nil {
			t.Error(err)
		}
		w.set(w.nodes[0], "ann", chat.DND)
		w.pass(time.Minute)
		bob.wantPushes("ann")
		if n := w.nodes[0].Watched(); n != 0 {
			t.Errorf("%d users are still watched", n)
		}
	})
}

// Strangers are left out until they share a chat; whoever leaves the last shared
// chat is seen for at most another minute.
func TestStrangers(t *testing.T) {
	inTown(t, 2, func(w *town) {
		w.facts.add("ann")
		bob := w.join(w.nodes[1], "bob")
		ann := w.join(w.nodes[0], "ann")
		w.pass(spread)
		if list := bob.watch("ann"); len(list) != 0 {
			t.Fatalf("answered %v", list)
		}
		if list, err := w.nodes[0].Read(context.Background(), "bob", []string{"ann"}); len(list) != 0 || err != nil {
			t.Fatalf("read %v, %v", list, err)
		}
		w.set(w.nodes[0], "ann", chat.DND)
		w.pass(2 * time.Minute)
		bob.wantPushes("ann")
		w.facts.share("ann", "bob", true)
		w.pass(time.Minute + spread)
		bob.wantPushes("ann", chat.DND)
		w.set(w.nodes[0], "ann", chat.Online)
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		w.facts.share("ann", "bob", false)
		w.pass(time.Minute + spread)
		bob.pushes("ann")
		w.set(w.nodes[0], "ann", chat.DND)
		ann.Leave()
		w.pass(time.Minute)
		bob.wantPushes("ann")
	})
}

// Even if nothing is announced, watched people are read again.
func TestLostAnnouncements(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		w.loseAnnouncements(true)
		ann := w.join(w.nodes[0], "ann")
		w.pass(15*time.Second + spread)
		bob.wantPushes("ann", chat.Online)
		w.set(w.nodes[0], "ann", chat.DND)
		w.pass(15*time.Second + spread)
		bob.wantPushes("ann", chat.DND)
		ann.Leave()
		w.pass(15*time.Second + 2*spread)
		if bob.pushes("ann"); bob.shows("ann") != chat.Offline {
			t.Errorf("shows %s", bob.shows("ann"))
		}
	})
}

// A rush of clients reads a few at a time; one that cannot wait is told so.
func TestReadersTakeTurns(t *testing.T) {
	inTown(t, 1, func(w *town) {
		bobWatchesAnn(w)
		line := &slowReads{Leases: w.nodes[0].Leases(), free: make(chan struct{})}
		n := w.node(line)
		const rush = 50
		answered := make(chan error, rush)
		for range rush {
			go func() {
				_, err := n.Read(context.Background(), "bob", []string{"ann"})
				answered <- err
			}()
		}
		w.pass(100 * time.Millisecond)
		if got := line.waiting.Load(); got != 8 {
			t.Errorf("%d ask at once", got)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/10)
		defer cancel()
		if _, err := n.Read(ctx, "bob", []string{"ann"}); chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("without a turn: %v", err)
		}
		close(line.free)
		for range rush {
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
	})
}

// slowReads answers when it is released.
type slowReads struct {
	presence.Leases

	waiting atomic.Int64
	free    chan struct{}
}

func (l *slowReads) Read(ctx context.Context, users []string) ([]presence.Reading, error) {
	l.waiting.Add(1)
	<-l.free
	return l.Leases.Read(ctx, users)
}

// With many watchers of one person, every one is told of a change.
func TestManyWatchers(t *testing.T) {
	inTown(t, 1, func(w *town) {
		var clients []*client
		for range 300 {
			clients = append(clients, bobWatchesOnly(w))
		}
		w.pass(20 * time.Second)
		w.join(w.nodes[0], "ann")
		w.pass(spread)
		for _, c := range clients {
			c.wantPushes("ann", chat.Online)
		}
	})
}

func bobWatchesOnly(w *town) *client {
	w.facts.share("ann", "bob", true)
	c := w.join(w.nodes[0], "bob")
	c.watch("ann")
	return c
}

// bobSeesAnn has ann come online while bob watches.
func bobSeesAnn(w *town) *client {
	bob := bobWatchesAnn(w)
	w.join(w.nodes[0], "ann")
	w.pass(spread)
	bob.wantPushes("ann", chat.Online)
	return bob
}

func (c *client) recheck() {
	c.t.Helper()
	if err := c.Recheck(context.Background()); err != nil {
		c.t.Error(err)
	}
}

// TestRecheck: who may not be watched any longer is not, from the moment it returns, be
// the watch starting or running; who may again is, within a minute.
func TestRecheck(t *testing.T) {
	inTown(t, 1, func(w *town) {
		n, bob := w.nodes[0], bobSeesAnn(w)
		w.facts.share("bob", "ann", false)
		bob.recheck()
		w.set(n, "ann", chat.DND)
		w.pass(spread)
		bob.wantPushes("ann")
		w.facts.share("bob", "ann", true)
		bob.recheck()
		w.pass(spread)
		bob.wantPushes("ann", chat.DND)

		bob.watch("ann") // answered, and not started yet
		w.facts.share("bob", "ann", false)
		bob.recheck()
		w.set(n, "ann", chat.Away)
		w.pass(spread)
		bob.wantPushes("ann")
	})
}

// TestRecheckBesideWatch: a watch that has read whom it may see before a Recheck does
// not bring them back.
func TestRecheckBesideWatch(t *testing.T) {
	inTown(t, 1, func(w *town) {
		n, bob := w.nodes[0], bobSeesAnn(w)
		w.facts.after = func() { // the watch has read by now
			w.facts.share("bob", "ann", false)
			bob.recheck()
		}
		bob.watch("ann")
		w.set(n, "ann", chat.DND)
		w.pass(spread)
		bob.wantPushes("ann")
	})
}
