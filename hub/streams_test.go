package hub

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.follower("ann")
		time.Sleep(2 * time.Minute)
		if !n.bus.has("c") {
			t.Fatal("unsubscribed although there is a subscriber")
		}
		n.say("c", "2")
		synctest.Wait()
		ann.conn.CloseNow()
		time.Sleep(50 * time.Second)
		again := n.client("ann", WebSocket)
		again.attach("c", 1) // from the ring
		synctest.Wait()
		again.wantSeqs("c", 2)
		if got := n.db.readCount(); got != 0 {
			t.Errorf("%d reads, want the ring", got)
		}
		again.conn.CloseNow()
		time.Sleep(59 * time.Second)
		if !n.bus.has("c") {
			t.Error("unsubscribed before the linger is over")
		}
		time.Sleep(2 * time.Second)
		if s := n.hub.Stats(); n.bus.has("c") || s.Streams != 0 || s.RingBytes != 0 {
			t.Errorf("after the linger: subscribed %v, %d streams, %d ring bytes", n.bus.has("c"), s.Streams, s.RingBytes)
		}
		last := n.follower("ann")
		n.say("c", "3")
		synctest.Wait()
		last.wantSeqs("c", 3)
	})
}

func TestOpenPinsUntilRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		release := n.open("c", "d")
		time.Sleep(5 * time.Minute)
		if !n.bus.has("c") || !n.bus.has("d") {
			t.Error("unsubscribed while open")
		}
		release()
		release()
		time.Sleep(61 * time.Second)
		if n.bus.has("c") || n.bus.has("d") {
			t.Error("still subscribed")
		}
	})
}

func TestRefusingOrFailingBusIsNotAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.bus.refuse, n.bus.noFlush = errors.New("no"), errors.New("no")
		n.member("c", "ann")
		ann := n.follower("ann")
		n.hear("c") // not subscribed: lost
		time.Sleep(2 * time.Second)
		ann.wantSeqs("c", 2)
		n.bus.mu.Lock()
		n.bus.refuse, n.bus.noFlush = nil, nil
		n.bus.mu.Unlock()
		time.Sleep(time.Second)
		if !n.bus.has("c") {
			t.Error("the subscription was not retried")
		}
	})
}
