package presence_test

import (
	"context"
	"testing"
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
		w.pass(settled)
		bob.wantPushes("ann", chat.Online)
		ann.pushes("ann")
		ann.Active()
		w.pass(time.Minute)
		last := chat.TimeOf(time.Now().Add(-time.Minute))
		w.set(w.nodes[1], "ann", chat.Invisible)
		w.pass(settled)
		ann.wantPushes("ann", chat.Invisible)
		told := bob.wantPushes("ann", chat.Offline)
		if len(told) == 1 && (told[0].LastActiveAt == nil || *told[0].LastActiveAt != last) {
			t.Errorf("last active %v, want %v", told[0].LastActiveAt, last)
		}
		for range 20 { // whatever is done, nothing shows
			ann.Active()
			w.pass(time.Minute)
			w.set(w.nodes[0], "ann", chat.Invisible)
		}
		ann.Leave()
		w.pass(presencetest.Grace + settled)
		w.join(w.nodes[0], "ann")
		w.pass(time.Minute)
		bob.wantPushes("ann")
		if p := w.look(w.nodes[0], "bob", "ann"); p.State != chat.Offline || *p.LastActiveAt != last {
			t.Errorf("read: %+v", p)
		}
		if p := w.look(w.nodes[0], "ann", "ann"); p.State != chat.Invisible {
			t.Errorf("to oneself: %+v", p)
		}
		w.set(w.nodes[0], "ann", chat.Online)
		w.pass(settled)
		bob.wantPushes("ann", chat.Online)
	})
}

// When it is unknown who is here, whoever is invisible is unknown too.
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

// betweenReads does something after the leases were asked, and before they
// answer.
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

// Ann becomes invisible and then does something, while her presence is being
// read: no reader may join what she did with what she was.
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
