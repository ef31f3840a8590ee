package hub

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Each test of this file has its mutations in mutations.txt.

// slow is a source whose reads of events wait while they are held.
type slow struct {
	*truth
	begun   chan struct{} // a token per read that waits
	release chan struct{}
}

func (s *slow) Events(ctx context.Context, stream string, after int64, limit int) ([]Event, error) {
	s.begun <- struct{}{}
	<-s.release
	return s.truth.Events(ctx, stream, after, limit)
}

// A removal commits, and is delivered here, between an Attach's read and its subscription.
func TestRemovalDuringAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob")
		ann := n.follower("ann")

		release := n.open("c")
		read, _ := n.db.membership("c", "bob")
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})) // 3
		n.say("c", "not for bob")                                                // 4
		bob := n.client("bob", WebSocket)
		got, err := n.hub.Attach(t.Context(), bob.conn, read)
		release()
		n.say("c", "nor this") // 5
		synctest.Wait()

		if err != nil || got.Outcome != Left || got.Seq != 3 {
			t.Errorf("Attach returned %+v, %v; want Left at 3", got, err)
		}
		bob.wantSeqs("c", 3)
		bob.wantCalls(t)
		ann.wantSeqs("c", 3, 4, 5)
	})
}

// The same while the Attach waits for a read of the ring's earlier events.
func TestRemovalDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &slow{begun: make(chan struct{}, 1), release: make(chan struct{})}
		n := start(t, Config{}, func(d *truth) Source { src.truth = d; return src })
		n.member("c", "ann", "bob")
		n.db.commit("c", Event{Op: "message.created", Data: []byte("before")}) // 3, not in a ring
		bob := n.client("bob", WebSocket)
		defer n.open("c")()
		read, _ := n.db.membership("c", "bob")
		read.After = 2
		got := make(chan Attached)
		go func() {
			a, err := n.hub.Attach(t.Context(), bob.conn, read)
			if err != nil {
				t.Error(err)
			}
			got <- a
		}()
		<-src.begun
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})) // 4
		n.say("c", "not for bob")                                                // 5
		close(src.release)
		if a := <-got; a.Outcome != Left || a.Seq != 4 {
			t.Errorf("Attach returned %+v, want Left at 4", a)
		}
		synctest.Wait()
		bob.wantSeqs("c", 3, 4)
	})
}

// A removal stands in the middle of what one pump round writes.
func TestRemovalInsideABlob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{FlushDelayMin: 10 * time.Millisecond}, nil)
		n.member("c", "ann", "bob", "eve")
		ann, bob, eve := n.client("ann", WebSocket), n.client("bob", WebSocket), n.client("eve", SSE)
		for _, c := range []*client{ann, bob, eve} {
			c.attach("c", -1)
		}
		n.say("c", "for all")                                                    // 4
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})) // 5
		n.say("c", "without bob")                                                // 6
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "eve"})) // 7
		n.say("c", "without bob and eve")                                        // 8
		before := n.hub.Stats().Batches
		time.Sleep(time.Second)
		if got := n.hub.Stats().Batches - before; got != 1 {
			t.Fatalf("%d pump rounds, want all in 1", got)
		}
		ann.wantSeqs("c", 4, 5, 6, 7, 8)
		bob.wantSeqs("c", 4, 5)
		eve.wantSeqs("c", 4, 5, 6, 7)
		bob.wantCalls(t, "detached c 5")
		eve.wantCalls(t, "detached c 7")
		ann.wantCalls(t)
	})
}

// A subscriber joins in the middle of what one pump round writes, with a replay of what is not yet
// written.
func TestJoinInsideABlob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{FlushDelayMin: 10 * time.Millisecond}, nil)
		n.member("c", "ann", "bob")
		ann, bob := n.client("ann", WebSocket), n.client("bob", WebSocket)
		ann.attach("c", -1)
		n.say("c", "3")
		n.say("c", "4")
		bob.attach("c", 2)
		n.say("c", "5")
		time.Sleep(time.Second)
		ann.wantSeqs("c", 3, 4, 5)
		bob.wantSeqs("c", 3, 4, 5)
	})
}

// A subscriber is removed and added again, and attaches before the frames up to the removal are
// written.
func TestReadmissionInsideABlob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{FlushDelayMin: 10 * time.Millisecond}, nil)
		n.member("c", "ann", "bob")
		bob := n.follower("bob")
		n.say("c", "3")
		n.publish(n.db.commit("c", Event{Op: "member.removed", Subject: "bob"})) // 4
		n.member("c", "bob")                                                     // 5
		defer n.open("c")()
		read, _ := n.db.membership("c", "bob")
		n.say("c", "6") // goes to bob from the ring
		if _, err := n.hub.Attach(t.Context(), bob.conn, read); err != nil {
			t.Fatal(err)
		}
		n.say("c", "7")
		time.Sleep(time.Second)
		bob.wantSeqs("c", 3, 4, 6, 7)
		bob.wantCalls(t, "detached c 4")
	})
}

// A message is deleted, another edited; then somebody comes back and is served from the ring.
func TestOldTextIsNotReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann", "bob")
		n.follower("ann")
		n.say("c", "secret") // 3
		n.say("c", "typo")   // 4
		n.publish(n.db.commit("c", Event{Op: "message.deleted", Target: 3}))
		n.publish(n.db.commit("c", Event{Op: "message.edited", Target: 4, Data: []byte("fixed")}))
		synctest.Wait()
		bob := n.client("bob", WebSocket)
		bob.attach("c", 2)
		synctest.Wait()
		bob.wantSeqs("c", 3, 4, 5, 6)
		for _, d := range bob.documents() {
			if d.Text == "secret" || d.Text == "typo" {
				t.Errorf("old text is replayed: %+v", d)
			}
		}
		if got := n.hub.Stats().RingLoads; got != 1 {
			t.Errorf("%d loads, want 1", got)
		}
		again := n.client("bob", WebSocket)
		again.attach("c", 2)
		synctest.Wait()
		again.wantSeqs("c", 3, 4, 5, 6)
		if got := n.hub.Stats().RingLoads; got != 1 {
			t.Errorf("the refreshed ring is loaded again: %d loads", got)
		}
	})
}

// More is lost than may be repaired, the removal of a subscriber among it; then the bus works
// again.
func TestWideHoleIsNotJumped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{ResumeWindow: 10}, nil)
		n.member("c", "ann", "bob")
		ann, bob := n.follower("ann"), n.follower("bob")
		n.db.commit("c", Event{Op: "member.removed", Subject: "bob"}) // 3
		for range 20 {
			n.db.commit("c", Event{Op: "message.created", Data: []byte("lost")}) // 4 … 23
		}
		n.bus.from(t, n.db.commit("c", Event{Op: "message.created", Data: []byte("not for bob")}))
		time.Sleep(time.Second)
		n.bus.from(t, n.db.commit("c", Event{Op: "message.created", Data: []byte("nor this")}))
		synctest.Wait()
		bob.wantSeqs("c")
		ann.wantSeqs("c")
		if got := n.hub.Subscribers("c"); got != 0 {
			t.Errorf("%d subscribers left", got)
		}
		ann.attach("c", -1)
		n.say("c", "on we go") // 26
		synctest.Wait()
		ann.wantSeqs("c", 26)
	})
}

// The bus repeats what it has delivered, and a repair overlaps with it.
func TestRepetitionIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		var events []Event
		for range 3 {
			events = append(events, n.say("c", "once")) // 2, 3, 4
		}
		for _, e := range events {
			n.bus.from(t, e)
		}
		synctest.Wait()
		ann.wantSeqs("c", 2, 3, 4)
	})
}

// An event is published elsewhere after the position was read and before the Attach. Nothing else
// ever tells of it within this test.
func TestOpenComesBeforeTheRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.client("ann", WebSocket)
		defer n.open("c")()
		read, _ := n.db.membership("c", "ann")
		n.bus.from(t, n.db.commit("c", Event{Op: "message.created", Data: []byte("in between")}))
		if _, err := n.hub.Attach(t.Context(), ann.conn, read); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		ann.wantSeqs("c", 2)
	})
}

// Many streams are subscribed together and confirmed by one flush, all before Open returns and
// positions are read.
func TestOpenSubscribesAllAndFlushesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		var ids []string
		for i := range 200 {
			ids = append(ids, fmt.Sprint("c", i))
			n.member(ids[i], "ann")
		}
		ann := n.client("ann", WebSocket)
		defer n.open(ids...)()
		if want := []string{"subscribe 200", "flush"}; !slices.Equal(n.bus.story, want) {
			t.Fatalf("the bus was asked %v, want %v", n.bus.story, want)
		}
		for _, id := range ids {
			read, _ := n.db.membership(id, "ann")
			n.hear(id) // in between
			if _, err := n.hub.Attach(t.Context(), ann.conn, read); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		for _, id := range ids {
			ann.wantSeqs(id, 2)
		}
		defer n.open(ids...)() // known already
		if len(n.bus.story) != 2 {
			t.Errorf("then it was asked %v", n.bus.story[2:])
		}
	})
}

// A pong is due while a frame is half written.
func TestControlFrameWaitsForTheBoundary(t *testing.T) {
	q := &backlog{}
	q.add([]byte("st of a frame"), counted, true)
	q.add(appendText(nil, []byte("next")), counted, false)
	q.pong = appendControl(nil, opPong, []byte("p"))
	var got []string
	for c, ok := q.next(); ok; c, ok = q.next() {
		got = append(got, string(c.b))
		q.written(c)
	}
	if len(got) != 3 || got[0] != "st of a frame" || got[1][0] != opPong || got[2][0] != opText {
		t.Errorf("written %q, want the rest of the frame, the pong, the next frame", got)
	}
	if q.total != 0 || q.counted != 0 {
		t.Errorf("%d bytes, %d counted left", q.total, q.counted)
	}
}
