package hub

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// inject has the hub receive an event that was never committed, as if whoever made it had the key
// of the bus. stamp is what it claims about its time.
func (n *node) inject(seq, stamp int64) {
	n.t.Helper()
	n.bus.from(n.t, Event{Stream: "c", Seq: seq, Op: "message.created", Kind: Content, Target: seq,
		Data: fmt.Appendf(nil, `{"stream":"c","seq":%d,"ts":%d,"text":"false"}`, seq, stamp)})
}

// wantExposed fails unless ann got the false event, was then reset once, and reads the truth.
func (n *node) wantExposed(ann *client, seq int64) {
	n.t.Helper()
	ann.wantReset(n.t, ReasonAhead)
	if got := n.hub.Stats().Falsehoods; got != 1 {
		n.t.Errorf("%d falsehoods counted, want 1", got)
	}
	ann.attach("c", seq-1)
	synctest.Wait()
	docs := ann.documents()
	if last := docs[len(docs)-1]; last.Seq != n.db.position("c") || last.Text == "false" {
		n.t.Errorf("then ann got %+v", last)
	}
}

// A false event that has taken the seq of a true one is exposed by whatever brings the true one.
func TestFalseEventsAreExposed(t *testing.T) {
	quiet := Config{CheckEvery: time.Hour}
	for name, tc := range map[string]struct {
		cfg Config
		seq int64 // of the false event
		act func(n *node)
	}{
		"next commit": {quiet, 2, func(n *node) {
			n.inject(2, 999)
			synctest.Wait()
			n.say("c", "true")
		}},
		"commit of the same time": {quiet, 2, func(n *node) {
			n.inject(2, n.db.commits+1)
			n.say("c", "true")
		}},
		"other node": {quiet, 2, func(n *node) {
			n.inject(2, 999)
			n.hear("c")
		}},
		"position check": {Config{}, 2, func(n *node) {
			n.inject(2, 999)
			n.lose("c", 1)
			time.Sleep(3 * time.Second)
		}},
		// It is held, and delivered after what a repair found before it, which found its true one too.
		"repair": {quiet, 3, func(n *node) {
			n.lose("c", 2) // 2, 3
			n.inject(3, 999)
			time.Sleep(time.Second)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t, tc.cfg, nil)
				n.member("c", "ann")
				ann := n.follower("ann")
				tc.act(n)
				synctest.Wait()
				n.wantExposed(ann, tc.seq)
			})
		})
	}
}

// Nothing true was ever committed under the seq.
func TestPositionCheckExposesAnInventedEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.inject(2, 999)
		time.Sleep(3 * time.Second)
		ann.wantCalls(t, "reset c 2 ahead")
	})
}

// An injected event waits for its turn when the true one comes: it never gets it.
func TestFalseEventIsNotKeptForItsTurn(t *testing.T) {
	for name, true3 := range map[string]func(n *node, e Event){
		"heard":     func(n *node, e Event) { n.bus.from(n.t, e) },
		"committed": func(n *node, e Event) { n.publish(e) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t, Config{CheckEvery: time.Hour}, nil)
				n.member("c", "ann")
				ann := n.follower("ann")
				n.inject(3, 999)
				n.lose("c", 1) // 2
				true3(n, n.db.commit("c", Event{Op: "message.created", Data: []byte("true")}))
				time.Sleep(time.Second)
				ann.wantSeqs("c", 2, 3)
				ann.wantCalls(t)
				if docs := ann.documents(); docs[1].Text != "true" {
					t.Errorf("ann got %+v", docs[1])
				}
			})
		})
	}
}

// Somebody comes back, and what is read for them shows that others were given something false.
func TestLoadExposesAFalseEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		n.lose("c", 1) // 3, not in the ring
		ann := n.follower("ann")
		n.inject(4, 999)
		n.lose("c", 1) // the true 4
		bob := n.client("bob", WebSocket)
		defer n.open("c")()
		p, _ := n.db.membership("c", "bob")
		p.After = 2
		if _, err := n.hub.Attach(t.Context(), bob.conn, p); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, d := range bob.documents() {
			if d.Text == "false" {
				t.Errorf("bob got %+v", d)
			}
		}
		n.wantExposed(ann, 4)
	})
}

// What is repeated, edited meanwhile, or read again is not taken for false.
func TestTrueEventsAreNotExposed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		e := n.db.commit("c", Event{Op: "message.created", Data: []byte("first")}) // 2
		n.bus.from(t, e)
		n.bus.from(t, e)
		n.publish(n.db.commit("c", Event{Op: "message.edited", Target: 2, Data: []byte("second")})) // 3
		n.bus.from(t, e)
		n.lose("c", 1) // 4
		time.Sleep(20 * time.Second)
		bob := n.client("ann", WebSocket)
		bob.attach("c", 1)
		time.Sleep(20 * time.Second)
		ann.wantSeqs("c", 2, 3, 4)
		ann.wantCalls(t)
		if got := n.hub.Stats().Falsehoods; got != 0 {
			t.Errorf("%d falsehoods counted, want 0", got)
		}
	})
}

// What may not be believed is read from the database, and at once.
func TestHintIsOnlyAHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		hint := func(e Event) {
			data, err := e.AppendBinary(nil)
			if err == nil {
				err = n.hub.Hinted("c", data)
			}
			if err != nil {
				t.Error(err)
			}
		}
		hint(Event{Stream: "c", Seq: 2, Op: "op", Data: []byte("not JSON")}) // nothing is there
		time.Sleep(time.Second)
		ann.wantSeqs("c")
		n.lose("c", 1)
		hint(Event{Stream: "c", Seq: 2, Op: "member.removed", Kind: Removed, Subject: "ann", Data: []byte("{}")})
		hint(Event{Stream: "c", Seq: 1 << 62, Op: "op", Data: []byte("{}")})
		hint(Event{Stream: "c", Seq: 1, Op: "typing", Kind: Passing, Data: []byte("true")})
		time.Sleep(51 * time.Millisecond)
		ann.wantSeqs("c", 2)
		ann.wantCalls(t)
		before := n.db.readCount()
		time.Sleep(time.Minute)
		if got := n.db.readCount(); got != before {
			t.Errorf("%d reads after the hints", got-before)
		}
	})
}

// Nothing that is not an event's document reaches a client, nor what belongs to another stream.
func TestUnreadableDataIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		for name, e := range map[string]Event{
			"not JSON":          {Stream: "c", Seq: 2, Op: "op", Data: []byte("\xff\x00garbage")},
			"of another stream": {Stream: "d", Seq: 2, Op: "op", Data: []byte("{}")},
		} {
			data, err := e.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := n.hub.Receive("c", data, ""); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		if err := n.hub.Hinted("c", []byte("garbage")); !errors.Is(err, ErrBadEvent) {
			t.Errorf("a hint that is no event: %v", err)
		}
		time.Sleep(time.Second)
		ann.wantSeqs("c")
	})
}
