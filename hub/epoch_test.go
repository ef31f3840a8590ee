package hub

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// restore puts a stream back to a seq, as a backup does, and lets it grow to another in a new
// epoch.
func (d *truth) restore(epoch, stream string, to, grown int64) {
	d.mu.Lock()
	d.epoch = epoch
	l := d.log(stream)
	l.events = l.events[:to]
	clear(l.members)
	for _, e := range l.events {
		switch e.Op {
		case "member.added":
			l.members[e.Subject] = e.Seq
		case "member.removed":
			delete(l.members, e.Subject)
		}
	}
	d.mu.Unlock()
	for d.position(stream) < grown {
		d.commit(stream, Event{Op: "message.created", Data: []byte("of " + epoch)})
	}
}

// The database is restored and grows past the old positions before the next check. By number
// everything would fit.
func TestNewEpochOutgrowsOldPositions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		for range 5 {
			n.say("c", "old") // 2 … 6
		}
		time.Sleep(3 * time.Second)
		n.db.restore("e2", "c", 3, 9)
		time.Sleep(10 * time.Second)
		ann.wantSeqs("c", 2, 3, 4, 5, 6)
		ann.wantCalls(t, "reset c 6 epoch")
		ann.attach("c", -1)
		n.say("c", "new") // 10
		synctest.Wait()
		ann.wantSeqs("c", 2, 3, 4, 5, 6, 10)
	})
}

// A client brings a position of the new history to a hub that has not noticed it and whose ring
// holds the old one.
func TestAttachTellsTheHubOfANewEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		ann := n.follower("ann")
		for range 5 {
			n.say("c", "old") // 3 … 7
		}
		n.hub.CheckNow()
		synctest.Wait()
		n.db.restore("e2", "c", 4, 9)

		bob := n.client("bob", WebSocket)
		defer n.open("c")()
		p, _ := n.db.membership("c", "bob")
		p.After, p.Epoch = 5, "e2"
		if got, err := n.hub.Attach(t.Context(), bob.conn, p); err != nil || got.Outcome != Subscribed {
			t.Fatalf("Attach returned %+v, %v", got, err)
		}
		synctest.Wait()
		bob.wantSeqs("c", 6, 7, 8, 9)
		for _, d := range bob.documents() {
			if d.Text != "of e2" {
				t.Errorf("event %d belongs to the old history: %q", d.Seq, d.Text)
			}
		}
		ann.wantCalls(t, "reset c 7 epoch")
	})
}

// A position was read before the database was restored, which the hub has noticed since.
func TestAttachOfAnOldEpochIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		n.follower("ann")
		n.hub.CheckNow()
		synctest.Wait()
		defer n.open("c")()
		old, _ := n.db.membership("c", "bob")
		old.Epoch = "e1"
		n.db.restore("e2", "c", 2, 9)
		n.hub.CheckNow()
		time.Sleep(n.hub.cfg.CheckLost + time.Millisecond)
		bob := n.client("bob", WebSocket)
		got, err := n.hub.Attach(t.Context(), bob.conn, old)
		if err != nil || got.Outcome != MustReset || got.Reason != ReasonEpoch {
			t.Errorf("Attach returned %+v, %v; want a reset", got, err)
		}
		n.say("c", "new")
		synctest.Wait()
		bob.wantSeqs("c")
	})
}

// The same while the Attach is in progress, waiting for the stream.
func TestNewEpochDuringAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		n.follower("ann")
		n.hub.CheckNow()
		time.Sleep(n.hub.cfg.CheckLost + time.Millisecond)
		defer n.open("c")()
		bob := n.client("bob", WebSocket)
		answered := make(chan Attached)
		go func() {
			got, err := n.hub.Attach(t.Context(), bob.conn, Position{Stream: "c", Added: 2, Last: 6, After: 6, Epoch: "e1"})
			if err != nil {
				t.Error(err)
			}
			answered <- got
		}()
		time.Sleep(time.Millisecond)
		n.db.restore("e2", "c", 2, 9)
		n.hub.CheckNow()
		if got := <-answered; got.Outcome != MustReset || got.Reason != ReasonEpoch {
			t.Errorf("Attach returned %+v, want a reset", got)
		}
		synctest.Wait()
		bob.wantSeqs("c")
	})
}

// The position of a personal stream was read before the database was restored.
func TestNewEpochDuringAttachPersonal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &pausedPositions{begun: make(chan struct{}, 9), release: make(chan struct{}, 9)}
		n := start(t, Config{CheckEvery: time.Hour}, func(d *truth) Source { src.truth = d; return src })
		n.db.commit("ann", Event{})
		ann := n.client("ann", WebSocket)
		attached := make(chan bool)
		go func() { n.personal(ann, -1); attached <- true }()
		<-src.begun // the position in the old history has been read
		n.hub.learn("e1")
		n.hub.learn("e2")
		src.release <- struct{}{}
		<-src.begun // read again
		src.release <- struct{}{}
		<-attached
		n.publish(n.db.commit("ann", Event{}))
		synctest.Wait()
		ann.wantCalls(t, "personal 2")
	})
}

// pausedPositions is a source whose answers from Positions wait.
type pausedPositions struct {
	*truth
	begun, release chan struct{}
}

func (s *pausedPositions) Positions(ctx context.Context, ids []string) (string, map[string]End, error) {
	epoch, last, err := s.truth.Positions(ctx, ids)
	s.begun <- struct{}{}
	<-s.release
	return epoch, last, err
}

// A node is left behind on a database that was given up and goes on publishing what nobody else
// has. Its numbers fit.
func TestEventOfAnotherHistoryIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		time.Sleep(3 * time.Second)
		n.say("c", "ours") // 2
		tag := n.hub.epoch.tag.Load()
		n.bus.from(t, Event{Stream: "c", Seq: 3, Op: "message.created", Epoch: tag + 1, Data: []byte(`{"stream":"c","seq":3,"text":"theirs"}`)})
		n.bus.from(t, Event{Stream: "c", Seq: 9, Op: "message.created", Epoch: tag + 1, Data: []byte(`{"stream":"c","seq":9,"text":"theirs"}`)})
		time.Sleep(3 * time.Second)
		n.say("c", "ours") // 3
		e := n.db.commit("c", Event{Op: "message.created", Data: []byte("ours")})
		e.Epoch = tag
		n.bus.from(t, e) // 4
		synctest.Wait()
		ann.wantSeqs("c", 2, 3, 4)
		for _, d := range ann.documents() {
			if d.Text != "ours" {
				t.Errorf("event %d says %q", d.Seq, d.Text)
			}
		}
		ann.wantCalls(t)
		if got := n.hub.Stats().Foreign; got != 2 {
			t.Errorf("%d foreign events counted, want 2", got)
		}
	})
}

// A node that follows no stream still learns of a new history, because it publishes.
func TestEpochIsLearnedWithoutStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		time.Sleep(time.Second)
		first := n.hub.epoch.tag.Load()
		n.db.restore("e2", "c", 0, 0)
		time.Sleep(11 * time.Second)
		if second := n.hub.epoch.tag.Load(); first == 0 || second == first {
			t.Errorf("tags are %d, then %d", first, second)
		}
		before := n.db.checkCount()
		time.Sleep(time.Minute)
		if got := n.db.checkCount() - before; got < 5 || got > 7 {
			t.Errorf("the epoch is read %d times a minute, want 6", got)
		}
	})
}

// Of the publishing and the receiving node only one knows of the restore: either way the event is
// read from the database.
func TestForeignEventIsAHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.hub.learn("e1")
		e := n.db.commit("c", Event{Op: "message.created", Data: []byte("2")})
		e.Epoch = n.hub.epoch.tag.Load() + 1
		n.bus.from(t, e)
		time.Sleep(60 * time.Millisecond)
		ann.wantSeqs("c", 2)
	})
}

// A failed check is repeated soon, however far it had backed off.
func TestFailedCheckIsRetriedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		time.Sleep(time.Minute) // backed off
		n.db.mu.Lock()
		n.db.fail = context.DeadlineExceeded
		n.db.mu.Unlock()
		n.lose("c", 1)
		time.Sleep(15 * time.Second)
		failures := n.hub.Stats().PositionErrors
		n.db.mu.Lock()
		n.db.fail = nil
		n.db.mu.Unlock()
		time.Sleep(500 * time.Millisecond)
		ann.wantSeqs("c", 2)
		if failures < 10 || failures > 80 {
			t.Errorf("%d checks failed within 15 s, want a few a second", failures)
		}
	})
}

func TestFirstEpochResetsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.client("ann", WebSocket)
		defer n.open("c")()
		p, _ := n.db.membership("c", "ann")
		p.Epoch = "e1"
		if _, err := n.hub.Attach(t.Context(), ann.conn, p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		n.say("c", "2")
		synctest.Wait()
		ann.wantSeqs("c", 2)
		ann.wantCalls(t)
	})
}

func TestNewEpochResetsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.personal(ann, -1)
		n.say("c", "2")
		time.Sleep(3 * time.Second)
		n.db.mu.Lock()
		n.db.epoch = "e2"
		n.db.mu.Unlock()
		time.Sleep(10 * time.Second)
		ann.wantSeqs("c", 2)
		ann.mu.Lock()
		calls := map[string]bool{}
		for _, c := range ann.calls {
			calls[c] = true
		}
		ann.mu.Unlock()
		if len(calls) != 2 || !calls["reset c 2 epoch"] || !calls["reset ann 0 epoch"] {
			t.Errorf("owner was called %v, want a reset of both streams", calls)
		}
		if s := n.hub.Stats(); s.RingBytes != 0 || s.Subscriptions != 0 {
			t.Errorf("%d ring bytes and %d subscriptions left", s.RingBytes, s.Subscriptions)
		}
	})
}

func TestStreamAheadOfTheDatabaseIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.say("c", "2")
		time.Sleep(3 * time.Second)
		n.db.mu.Lock()
		n.db.log("c").events = n.db.log("c").events[:1]
		n.db.mu.Unlock()
		time.Sleep(10 * time.Second)
		ann.wantCalls(t, "reset c 2 ahead")
		ann.attach("c", -1)
		n.say("c", "2 again")
		synctest.Wait()
		ann.wantSeqs("c", 2, 2)
	})
}
