package presence_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
	"fechatter/presence"
	"fechatter/presence/presencetest"
)

func TestInvisibleLooksOffline(t *testing.T) {
	inTown(t, 2, func(w *town) {
		bob := bobWatchesAnn(w)
		ann := w.join(w.nodes[0], "ann")
		ann.watch("ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		ann.pushes("ann")
		ann.Active()
		w.pass(time.Minute)
		last := chat.TimeOf(time.Now().Add(-time.Minute))
		w.set(w.nodes[1], "ann", chat.Invisible)
		w.pass(spread)
		ann.wantPushes("ann", chat.Invisible)
		told := bob.wantPushes("ann", chat.Offline)
		if len(told) == 1 && (told[0].LastActiveAt == nil || *told[0].LastActiveAt != last) {
			t.Errorf("last active %v, want %v", told[0].LastActiveAt, last)
		}
		for range 20 { // whatever ann does, nothing shows
			ann.Active()
			w.pass(time.Minute)
			w.set(w.nodes[0], "ann", chat.Invisible)
		}
		ann.Leave()
		w.pass(presencetest.Grace + spread)
		w.join(w.nodes[0], "ann")
		w.pass(time.Minute)
		bob.wantPushes("ann")
		if p := w.look(w.nodes[0], "bob", "ann"); p.State != chat.Offline || *p.LastActiveAt != last {
			t.Errorf("read: %+v", p)
		}
		if p := w.look(w.nodes[0], "ann", "ann"); p.State != chat.Invisible {
			t.Errorf("to herself: %+v", p)
		}
		w.set(w.nodes[0], "ann", chat.Online)
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
	})
}

// While it is unknown who is here, invisible people are unknown too.
func TestInvisibleWhenUnknown(t *testing.T) {
	awayAfter := awayAfter
	for _, r := range []presence.Reading{{}, {Known: true}, {Here: true}, {Here: true, Known: true}} {
		hidden := presence.View(chat.PresenceFacts{UserID: "ann", Setting: chat.Invisible}, r, awayAfter, false)
		r.Here = false
		absent := presence.View(chat.PresenceFacts{UserID: "ann", Setting: chat.Online}, r, awayAfter, false)
		if hidden != absent {
			t.Errorf("%+v: invisible %+v, absent %+v", r, hidden, absent)
		}
	}
}

// doubtful is leases after a loss: they know who is here, and of nobody that they are
// absent.
type doubtful struct{ presence.Leases }

func (d doubtful) Read(ctx context.Context, users []string) ([]presence.Reading, error) {
	readings, err := d.Leases.Read(ctx, users)
	for i := range readings {
		readings[i].Known = false
	}
	return readings, err
}

// What a person does themselves is told at once, also while nobody's absence is known;
// who was absent before is unknown all the same.
func TestOwnChangeWhenUnknown(t *testing.T) {
	for _, from := range []chat.PresenceState{chat.Online, chat.DND, chat.Away} {
		synctest.Test(t, func(t *testing.T) {
			w := newTown(t, doubtful{presence.NewMemory()}, 2)
			defer w.stop()
			bob := bobWatchesAnn(w)
			w.pass(spread)
			ann := w.join(w.nodes[0], "ann")
			w.set(w.nodes[0], "ann", from)
			w.pass(spread)
			if got := bob.shows("ann"); got != from {
				t.Fatalf("before: %s", got)
			}
			bob.pushes("ann")
			w.set(w.nodes[0], "ann", chat.Invisible)
			w.pass(spread)
			if told := bob.pushes("ann"); len(told) == 0 || told[0].State != chat.Offline {
				t.Errorf("from %s to invisible: bob was told %v, want offline", from, told)
			}
			if p := w.look(w.nodes[1], "bob", "ann"); p.State != chat.Unknown {
				t.Errorf("asked anew: %s, want unknown, as of anybody absent", p.State)
			}
			w.set(w.nodes[1], "ann", chat.DND)
			w.pass(spread)
			if got := bob.shows("ann"); got != chat.DND {
				t.Errorf("visible again: %s", got)
			}
			ann.Leave()
		})
	}
}

// betweenReads does something between the question to the leases and the answer.
type betweenReads struct {
	presence.Leases

	do func()
}

func (l *betweenReads) Read(ctx context.Context, users []string) ([]presence.Reading, error) {
	if do := l.do; do != nil {
		l.do = nil
		do()
	}
	return l.Leases.Read(ctx, users)
}

// Ann becomes invisible and then does something while her presence is being
// read: no reader may combine her new activity with her old setting.
func TestInvisibleBetweenReads(t *testing.T) {
	inTown(t, 1, func(w *town) {
		bobWatchesAnn(w)
		shared := &betweenReads{Leases: w.nodes[0].Leases()}
		reader := w.node(shared)
		ann := w.join(w.nodes[0], "ann")
		w.pass(time.Minute)
		last := *w.look(reader, "bob", "ann").LastActiveAt
		shared.do = func() {
			w.set(w.nodes[0], "ann", chat.Invisible)
			ann.Active()
			w.pass(20 * time.Second)
		}
		p := w.look(reader, "bob", "ann")
		if shared.do != nil {
			t.Fatal("the leases were not read")
		}
		if p.State != chat.Offline || *p.LastActiveAt != last {
			t.Errorf("bob sees %s, last active %v after she became invisible", p.State, p.LastActiveAt.Time().Sub(last.Time()))
		}
	})
}
