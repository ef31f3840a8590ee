package hub

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// wheel is the one timer of all connections: pings, SSE comments, and the end of those that do not
// answer. Each wire sits in the slot of the tick at which it is due; one goroutine turns the wheel.
type wheel struct {
	tick time.Duration

	mu    sync.Mutex
	ended bool
	count int
	pos   int64 // the last tick handled
	slots [wheelSlots]*Wire
}

const wheelSlots = 256

// beat is a wire's place in the wheel: a doubly linked list per slot.
type beat struct {
	prev, next *Wire
	due        int64 // tick
	in         bool
	waiting    bool // pinged, answer not checked yet; guarded by the wire
}

func (w *wheel) tickOf(t time.Time) int64 { return t.UnixNano() / int64(w.tick) }

// add puts a new wire in, or returns false if the wheel has ended.
func (w *wheel) add(x *Wire, due time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	w.count++
	w.link(x, due)
	return true
}

// arm moves a wire that is in the wheel to another time.
func (w *wheel) arm(x *Wire, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x.beat.in {
		w.unlink(x)
		w.link(x, due)
	}
}

// remove takes a wire out for good.
func (w *wheel) remove(x *Wire) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x.beat.in {
		w.unlink(x)
		w.count--
	}
}

func (w *wheel) link(x *Wire, due time.Time) {
	x.beat.due = max(w.tickOf(due), w.pos+1)
	slot := &w.slots[x.beat.due%wheelSlots]
	x.beat.in, x.beat.prev, x.beat.next = true, nil, *slot
	if *slot != nil {
		(*slot).beat.prev = x
	}
	*slot = x
}

func (w *wheel) unlink(x *Wire) {
	if x.beat.prev != nil {
		x.beat.prev.beat.next = x.beat.next
	} else {
		w.slots[x.beat.due%wheelSlots] = x.beat.next
	}
	if x.beat.next != nil {
		x.beat.next.beat.prev = x.beat.prev
	}
	x.beat.in, x.beat.prev, x.beat.next = false, nil, nil
}

// due returns the wires whose time has come. They stay in the wheel, due again one turn later,
// until they are armed again.
func (w *wheel) due(now time.Time) (due []*Wire) {
	w.mu.Lock()
	defer w.mu.Unlock()
	until := w.tickOf(now)
	for w.pos = max(w.pos, until-wheelSlots); w.pos < until; {
		w.pos++
		for x := w.slots[w.pos%wheelSlots]; x != nil; x = x.beat.next {
			if x.beat.due <= w.pos {
				due = append(due, x)
			}
		}
	}
	return due
}

// end refuses new wires and returns those that are in.
func (w *wheel) end() (all []*Wire) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	for _, x := range w.slots {
		for ; x != nil; x = x.beat.next {
			all = append(all, x)
		}
	}
	return all
}

// turnWheel drives the wheel until ctx ends.
func (h *Hub) turnWheel(ctx context.Context) {
	t := time.NewTicker(h.wheel.tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			for _, x := range h.wheel.due(now) {
				x.onBeat(now)
			}
		}
	}
}

// onBeat does what is due on a wire and arms it for the next time.
func (w *Wire) onBeat(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if again, alive := w.pulse(); alive {
		w.hub.wheel.arm(w, now.Add(again))
	}
}

// pulse pings, comments on or ends the wire, and returns when to look again.
func (w *Wire) pulse() (again time.Duration, alive bool) {
	cfg := &w.hub.cfg
	switch {
	case w.state != wireOpen:
		w.end(ErrClosed) // it has taken too long to close
		return 0, false
	case w.conn == nil:
		return cfg.PingEvery, true
	case w.conn.format == SSE:
		_ = w.put([]byte(": \n\n"), fleeting, nil) // not needed if there is a backlog
		return jitter(cfg.CommentEvery), true
	case w.beat.waiting && !w.heard.Load():
		w.hub.stats.heartbeatCloses.Add(1)
		w.end(ErrHeartbeat)
		return 0, false
	case w.beat.waiting:
		w.beat.waiting = false
		return max(0, jitter(cfg.PingEvery)-cfg.PongWait), true
	}
	w.heard.Store(false)
	w.beat.waiting = true
	w.control([]byte{opPing, 0})
	return cfg.PongWait, true
}

// jitter returns d shortened by up to a tenth at random.
func jitter(d time.Duration) time.Duration {
	return d - rand.N(d/10+1)
}

// jitterUp returns a random part of d.
func jitterUp(d time.Duration) time.Duration { return rand.N(d + 1) }
