package hub

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// lose commits events that no node publishes to this one.
func (n *node) lose(stream string, count int) {
	for range count {
		n.db.commit(stream, Event{Op: "message.created", Data: []byte("lost")})
	}
}

// hear commits an event that reaches this node over the bus.
func (n *node) hear(stream string) {
	n.t.Helper()
	n.bus.from(n.t, n.db.commit(stream, Event{Op: "message.created", Data: []byte("heard")}))
}

func TestHoleIsReadAfterADelayAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		ann := n.follower("ann")
		n.lose("c", 2) // 3, 4
		n.hear("c")    // 5
		n.hear("c")    // 6
		time.Sleep(19 * time.Millisecond)
		if got := n.db.readCount(); got != 0 {
			t.Fatalf("%d reads before the delay", got)
		}
		ann.wantSeqs("c")
		time.Sleep(32 * time.Millisecond)
		ann.wantSeqs("c", 3, 4, 5, 6)
		if got := n.db.readCount(); got != 1 {
			t.Errorf("%d reads, want 1", got)
		}
		if s := n.hub.Stats(); s.RepairsHole != 1 || s.RepairsCheck != 0 || s.RepairsAttach != 0 {
			t.Errorf("counted repairs: %+v", s)
		}
	})
}

func TestHoleThatClosesItselfIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		second, third := n.db.commit("c", Event{}), n.db.commit("c", Event{})
		n.bus.from(t, third)
		time.Sleep(10 * time.Millisecond)
		n.bus.from(t, second)
		time.Sleep(time.Minute)
		ann.wantSeqs("c", 2, 3)
		if got := n.db.readCount(); got != 0 {
			t.Errorf("%d reads, want none", got)
		}
	})
}

func TestRepairIsRetriedWithGrowingDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.db.fail = errors.New("database is away")
		n.lose("c", 1)
		n.hear("c")
		time.Sleep(time.Minute)
		tried := n.db.readCount()
		if tried < 10 || tried > 40 {
			t.Errorf("%d reads in a minute, want some with growing delays", tried)
		}
		if got := n.hub.Stats().RepairErrors; got != int64(tried) {
			t.Errorf("%d errors counted of %d", got, tried)
		}
		ann.wantSeqs("c")
		n.db.mu.Lock()
		n.db.fail = nil
		n.db.mu.Unlock()
		time.Sleep(6 * time.Second)
		ann.wantSeqs("c", 2, 3)
	})
}

// hanging is a source that never answers before its deadline.
type hanging struct{ *truth }

func (hanging) Events(ctx context.Context, _ string, _ int64, _ int) ([]Event, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hanging) Positions(ctx context.Context, _ []string) (string, map[string]End, error) {
	<-ctx.Done()
	return "", nil, ctx.Err()
}

func TestHangingSourceHasDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{SourceTimeout: time.Second}, func(d *truth) Source { return hanging{d} })
		n.member("c", "ann")
		ann := n.follower("ann")
		n.lose("c", 1)
		n.hear("c")
		time.Sleep(10 * time.Second)
		if s := n.hub.Stats(); s.RepairErrors < 2 || s.PositionErrors < 2 {
			t.Errorf("%d failed repairs, %d failed checks; want both to go on", s.RepairErrors, s.PositionErrors)
		}
		if err := ann.conn.Send("op", []byte(`{}`)); err != nil {
			t.Errorf("the connection is affected: %v", err)
		}
		late := n.client("ann", WebSocket)
		defer n.open("c")()
		_, err := n.hub.Attach(t.Context(), late.conn, Position{Stream: "c", Added: 1, Last: 3, After: 3})
		if !errors.Is(err, ErrBehind) {
			t.Errorf("attach to a stream that stays behind: %v, want ErrBehind", err)
		}
		_, err = n.hub.Attach(t.Context(), late.conn, Position{Stream: "c", Added: 1, Last: 1, After: 0})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("attach that must read: %v, want the deadline", err)
		}
	})
}

func TestEventThatTheDatabaseDoesNotHaveIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.bus.from(t, Event{Stream: "c", Seq: 1000000, Op: "op", Data: []byte(`{"stream":"c","seq":1000000}`)})
		time.Sleep(time.Second)
		n.hear("c")
		synctest.Wait()
		ann.wantSeqs("c", 2)
		ann.wantCalls(t)
		if got := n.hub.Stats().Discarded; got != 1 {
			t.Errorf("%d discarded, want 1", got)
		}
	})
}

func TestTrimmedHoleResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.lose("c", 5) // 2 … 6
		n.db.mu.Lock()
		n.db.log("c").trimmed = 4
		n.db.mu.Unlock()
		n.hear("c") // 7
		time.Sleep(time.Second)
		ann.wantSeqs("c")
		ann.wantCalls(t, "reset c 1 trimmed")
	})
}

func TestHeldEventsPastTheLimitAreReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour, HeldEvents: 4}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.lose("c", 1) // 2
		for range 7 {
			n.hear("c") // 3 … 9
		}
		time.Sleep(time.Second)
		ann.wantSeqs("c", 2, 3, 4, 5, 6, 7, 8, 9)
	})
}

func TestExpectRepairsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		n.lose("c", 1)
		n.hub.Expect("c", 2)
		n.hub.Expect("unknown", 2)
		time.Sleep(51 * time.Millisecond)
		ann.wantSeqs("c", 2)
		n.hub.Expect("c", 99) // not true
		time.Sleep(time.Second)
		ann.wantCalls(t)
		if got := n.db.readCount(); got != 2 {
			t.Errorf("%d reads, want 2", got)
		}
	})
}
