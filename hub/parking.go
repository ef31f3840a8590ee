package hub

import (
	"log/slog"
	"math"
	"runtime"
	"sync"
)

// An idle wire is parked where the system allows it: no goroutine waits for its peer and no buffer
// is held. A lot, one for each core, notices that bytes have come, and has a goroutine read them
// until the wire is idle and parks again.
//
// A wire is parked under its lock, which whoever wakes it takes too, so that bytes which come in
// that moment wake a reader that is parked by then. Bytes that came before are reported at once,
// for a lot looks at the socket when a wire parks. The number of a spot is never used again: what
// was reported of a wire that has ended wakes nobody, whoever has its descriptor now.

// spot is where a wire parks: the same for its whole life. The zero value is none.
type spot struct {
	lot    *lot
	number number
}

// number is 62 bits as an event carries them.
type number struct{ low, high int32 }

func (n number) next() number {
	if n.low == math.MaxInt32 {
		return number{0, n.high + 1}
	}
	return number{n.low + 1, n.high}
}

// parking holds the lots, which are made when the first wire parks.
type parking struct {
	mu   sync.Mutex
	made bool
	lots []*lot
	next int
}

// lot returns the lot of the next wire, nil if there is no parking.
func (p *parking) lot(h *Hub) *lot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.made {
		p.made = true
		p.lots = makeLots(h, runtime.GOMAXPROCS(0))
	}
	if len(p.lots) == 0 {
		return nil
	}
	p.next = (p.next + 1) % len(p.lots)
	return p.lots[p.next]
}

func makeLots(h *Hub, n int) (lots []*lot) {
	for range n {
		l, err := newLot()
		if err != nil {
			h.log.Warn("idle connections are not parked", slog.Any("error", err))
			break
		}
		if !h.tasks.start(l.run) {
			l.close()
			break
		}
		lots = append(lots, l)
	}
	return lots
}

// close ends the lots, once no wire is open any more.
func (p *parking) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = true
	for _, l := range p.lots {
		l.close()
	}
	p.lots = nil
}

// park parks the wire, whose reader has handled everything, or returns false if it cannot be
// parked. From then on a goroutine reads on when there is something to read, unless the wire has
// ended by then.
func (w *Wire) park() bool {
	if !w.mayPark() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == wireClosed || w.readerGone.Load() {
		return false
	}
	if w.spot.lot == nil {
		l := w.hub.parking.lot(w.hub)
		if l == nil {
			return false
		}
		w.spot = spot{l, l.enter(w)}
		if !l.watch(w, true) {
			w.leaveSpot()
			return false
		}
	} else if !w.spot.lot.watch(w, false) {
		return false
	}
	w.parked = true
	w.hub.stats.parked.Add(1)
	return true
}

// wake has a parked wire read on.
func (w *Wire) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unpark() {
		w.due = true
		w.hub.tasks.start(w.readOn)
	}
}

// unpark reports whether the wire was parked; it no longer is.
func (w *Wire) unpark() bool {
	if !w.parked {
		return false
	}
	w.parked = false
	w.hub.stats.parked.Add(-1)
	return true
}

// leaveSpot gives up the spot for good.
func (w *Wire) leaveSpot() {
	w.unpark()
	if w.spot.lot != nil {
		w.spot.lot.leave(w.spot.number)
		w.spot = spot{}
	}
}
