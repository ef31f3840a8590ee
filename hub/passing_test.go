package hub

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ear is a listener that records what it hears.
type ear struct {
	mu    sync.Mutex
	heard []string
}

func (l *ear) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, fmt.Sprintf(format, args...))
}

func (l *ear) Passing(e Event) { l.note("%s %s by %s as of %d", e.Op, e.Stream, e.Subject, e.Seq) }
func (l *ear) Removed(stream, user string, seq int64) {
	l.note("removed %s from %s at %d", user, stream, seq)
}

func (l *ear) wantHeard(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.heard, want) {
		t.Errorf("heard %q, want %q", l.heard, want)
	}
	l.heard = nil
}

func typing(asOf int64) Event {
	return Event{Stream: "c", Seq: asOf, Op: "typing", Subject: "bob", Data: []byte("{}")}
}

// What somebody sent who knew of a removal is not heard before that removal is applied here: until
// then the removed member is still subscribed.
func TestPassingIsNotHeardBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := start(t, Config{}, nil), &ear{}
		n.hub.Listen(l)
		n.member("c", "ann", "bob")
		n.follower("ann")
		n.db.commit("c", Event{Op: "member.removed", Subject: "ann"}) // and the bus loses it

		n.bus.from(t, passing(typing(3)))
		l.wantHeard(t)
		time.Sleep(time.Second) // for the repair that it began
		l.wantHeard(t, "removed ann from c at 3")
		n.bus.from(t, passing(typing(3)))
		l.wantHeard(t) // nobody here follows the chat now
	})
}

func passing(e Event) Event {
	e.Kind = Passing
	return e
}

func TestPassing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := start(t, Config{}, nil), &ear{}
		n.hub.Listen(l)
		n.member("c", "ann", "bob", "eve")
		ann := n.follower("ann")
		pass := func(e Event) {
			t.Helper()
			if err := n.hub.Pass(e); err != nil {
				t.Error(err)
			}
		}
		pass(typing(2))
		pass(typing(3))
		n.bus.from(t, passing(typing(3)))
		l.wantHeard(t, "typing c by bob as of 2", "typing c by bob as of 3", "typing c by bob as of 3")
		pass(Event{Stream: "elsewhere", Seq: 1, Op: "typing", Data: []byte("{}")})
		if err := n.hub.PassOn(typing(3)); err != nil {
			t.Error(err)
		}
		l.wantHeard(t)
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "eve"}))
		l.wantHeard(t, "removed eve from c at 4")
		if err := n.hub.Pass(Event{Stream: "c", Op: "typing", Data: []byte("{}")}); err == nil {
			t.Error("Pass accepted a document without a seq")
		}
		synctest.Wait()
		ann.wantSeqs("c", 4)
		release := n.open("ann")
		if err := n.hub.AttachPersonal(t.Context(), ann.conn, "ann", 0); err != nil {
			t.Fatal(err)
		}
		release()
		pass(Event{Stream: "ann", Seq: 1, Op: "cursor", Data: []byte("{}")})
		l.wantHeard(t, "cursor ann by  as of 1")
	})
}
