package hub

import (
	"sync"
	"sync/atomic"
	"time"
)

// stream is one chat or one user's personal events on this node: order, ring, subscribers and what
// is still to be written.
//
// Everything below mu is guarded by it. Lock order: stream, then Conn, then Wire; no owner is
// called under any of them.
type stream struct {
	hub *Hub
	id  string

	dead    atomic.Bool  // removed from the hub; set under mu
	checkAt atomic.Int64 // when the position check is due, Unix nanoseconds

	mu       sync.Mutex
	seq      sequencer
	ring     ring
	subs     subset
	pend     pending
	eph      []ephemeral
	waiters  []waiter
	watchers []watcher
	pins     int    // held open by Open or an Attach in progress
	stamp    int64  // of the event delivered last, 0: not known
	history  uint32 // counts calls of forget: what was read before one means nothing after it
	era      uint32 // counts changes of the database's history
	flushed  int64  // everything up to it was queued to every subscriber of its time
	personal bool

	joined bool // the bus was asked to subscribe it
	ready  bool // and has confirmed that since

	pumping   bool
	repairing bool          // a repair is scheduled or in progress
	failures  int           // failed repairs in a row
	loading   chan struct{} // closed when the load in progress ends
	round     chan struct{} // closed when the pump's round ends

	lastEvent   time.Time
	interval    time.Duration // of the position check
	checkedHead int64
	idleSince   time.Time
	lingering   bool // it has an agenda entry
}

// waiter is an Attach that waits for the stream to reach a seq, or to be forgotten.
type waiter struct {
	seq int64
	ch  chan struct{}
}

func newStream(h *Hub, id string) *stream {
	s := &stream{hub: h, id: id, interval: h.cfg.CheckEvery}
	s.seq.maxEvents, s.seq.maxBytes = h.cfg.HeldEvents, h.cfg.HeldBytes
	return s
}

// accept offers an event from the bus or a local commit and starts what follows from it.
func (s *stream) accept(e Event, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offer(e, now)
	s.followUp(now)
}

// expect notes that the stream is said to have reached seq, and starts what follows from it.
func (s *stream) expect(seq int64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq.claim(seq)
	s.followUp(now)
}

// offer passes one event through the sequencer and delivers what has become deliverable.
func (s *stream) offer(e Event, now time.Time) {
	e.Stream = s.id
	switch s.seq.offer(e) {
	case deliver:
		s.deliver(e, now)
		s.popAll(now)
	case dropped:
		if was := s.ring.find(e.Seq); was != nil && e.contradicts(was) {
			s.expose(e.Seq, now)
		}
	}
}

// expose resets everybody: they were given an event that was never committed.
func (s *stream) expose(seq int64, now time.Time) {
	s.hub.stats.falsehoods.Add(1)
	if s.hub.cfg.Exposed != nil {
		s.hub.cfg.Exposed(s.id, seq)
	}
	s.reset(ReasonAhead, now)
}

func (s *stream) popAll(now time.Time) {
	for {
		e, ok := s.seq.pop()
		if !ok {
			return
		}
		s.deliver(e, now)
	}
}

// followUp comes after every change: it wakes waiters, schedules a repair for a hole and starts the
// pump.
func (s *stream) followUp(now time.Time) {
	s.wake()
	s.tellWatchers(false)
	if s.seq.hole() && !s.repairing && s.wanted() {
		s.repairing = true
		s.hub.agenda.add(s, dueRepair, now.Add(s.hub.holeDelay(s.failures)))
	}
	if !s.pumping && (!s.pend.empty() || len(s.eph) > 0) {
		s.pumping = s.hub.tasks.start(s.pump)
	}
}

// wanted reports whether somebody needs the stream to be whole now.
func (s *stream) wanted() bool {
	return len(s.subs.list) > 0 || len(s.waiters) > 0 || len(s.watchers) > 0
}

// deliver hands on the stream's next event.
func (s *stream) deliver(e Event, now time.Time) {
	s.hub.stats.events.Add(1)
	s.lastEvent, s.stamp = now, e.Stamp
	s.quicken(now)
	s.keep(e)
	if e.Kind.Has(Removed) && s.hub.listener != nil {
		s.hub.listener.Removed(s.id, e.Subject, e.Seq)
	}
	if len(s.subs.list) == 0 {
		return
	}
	if s.personal {
		call := func(o Owner) { o.Personal(e) }
		for _, n := range s.subs.list {
			n.conn.notify(call)
		}
		return
	}
	s.pend.add(e, &s.subs, &s.hub.buffers)
	if e.Kind&(Removed|Ended) != 0 {
		s.expel(e, now)
	}
}

// wake ends the wait of those whose seq has been reached.
func (s *stream) wake() {
	kept := s.waiters[:0]
	for _, w := range s.waiters {
		if s.seq.placed() && s.seq.head() >= w.seq {
			close(w.ch)
		} else {
			kept = append(kept, w)
		}
	}
	clear(s.waiters[len(kept):])
	if s.waiters = kept; len(kept) == 0 {
		s.waiters = nil
	}
}

// forget drops the position and everything that depends on it. Nobody may be subscribed.
func (s *stream) forget() {
	s.tellWatchers(true)
	s.history++
	s.seq.forget()
	s.flushed, s.stamp = 0, 0
	s.clearRing()
	for _, w := range s.waiters {
		close(w.ch)
	}
	s.waiters = nil
}

// place gives the stream its position, as read from the database.
func (s *stream) place(seq int64, now time.Time) {
	s.seq.place(seq)
	s.flushed, s.stamp = seq, 0
	s.popAll(now)
}

// position returns the last seq delivered, -1 without a position.
func (s *stream) position() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq.head()
}

// progress returns the seq up to which everything was queued to every subscriber, and whether this
// is a chat.
func (s *stream) progress() (flushed int64, chat bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flushed, !s.personal
}

func (s *stream) currentEra() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.era
}
