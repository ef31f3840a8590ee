package hub

import (
	"sync"
	"sync/atomic"
	"time"
)

// stream is one chat or one user's personal events on this node: order, ring, subscribers and what is still to write.
//
// Everything below mu is guarded by it. Lock order: stream, then Conn, then Wire; no owner is called under any of them.
type stream struct {
	hub *Hub
	id  string

	dead    atomic.Bool  // taken out of the hub; set under mu
	checkAt atomic.Int64 // when the position check looks at it next, Unix nanoseconds

	mu       sync.Mutex
	seq      sequencer
	ring     ring
	subs     subset
	pend     pending
	eph      []ephemeral
	waiters  []waiter
	pins     int    // held open by Open or by an Attach under way
	history  uint32 // counts forget: what was read before one is worth nothing after it
	era      uint32 // counts changes of the database's history
	flushed  int64  // everything up to it was queued to every subscriber there was
	personal bool

	joined bool // the bus was told
	ready  bool // and has confirmed it since

	pumping   bool
	repairing bool          // a repair is scheduled or under way
	failures  int           // repairs that failed in a row
	loading   chan struct{} // closed when the load under way ends
	round     chan struct{} // closed when the pump's round ends

	lastEvent   time.Time
	interval    time.Duration // of the position check
	checkedHead int64
	idleSince   time.Time
	lingering   bool // an agenda entry looks after it
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

// take offers an event from the bus or a local commit and starts what follows from it.
func (s *stream) take(e Event, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offer(e, now)
	s.settle(now)
}

// expect notes that the stream is said to have come to a seq, and starts what follows from it.
func (s *stream) expect(seq int64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq.claim(seq)
	s.settle(now)
}

// offer passes one event through the sequencer and delivers what has become deliverable.
func (s *stream) offer(e Event, now time.Time) {
	e.Stream = s.id
	if s.seq.offer(e) != deliver {
		return
	}
	s.deliver(e, now)
	s.popAll(now)
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

// settle follows every change: wake who waits, schedule a repair for a hole, start the pump.
func (s *stream) settle(now time.Time) {
	s.wake()
	if s.seq.hole() && !s.repairing && s.wanted() {
		s.repairing = true
		s.hub.agenda.add(s, dueRepair, now.Add(s.hub.holeDelay(s.failures)))
	}
	if !s.pumping && (!s.pend.empty() || len(s.eph) > 0) {
		s.pumping = s.hub.tasks.start(s.pump)
	}
}

// wanted reports whether somebody needs the stream to be whole now.
func (s *stream) wanted() bool { return len(s.subs.list) > 0 || len(s.waiters) > 0 }

// deliver hands on the stream's next event.
func (s *stream) deliver(e Event, now time.Time) {
	s.hub.stats.events.Add(1)
	s.lastEvent = now
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
	if e.Kind.Has(Removed) {
		s.expel(e, now)
	}
}

// expel ends the subscriptions of a removed user that are older than the removal, which is their last frame.
func (s *stream) expel(e Event, now time.Time) {
	gone := s.subs.remove(func(n sub) bool { return n.conn.user == e.Subject && n.added < e.Seq })
	for _, n := range gone {
		n.conn.detach(s, ending{seq: e.Seq, removed: true, era: s.era})
		s.pend.tell(notice{n.conn, func(o Owner) { o.Detached(s.id, e.Seq) }})
	}
	if len(gone) > 0 {
		s.pend.splitAtRemoval()
		s.left(len(gone), now)
	}
}

// reset ends every subscription because the hub cannot go on without a hole, and forgets the position.
func (s *stream) reset(reason string, now time.Time) {
	known := max(s.seq.known, s.seq.head(), 0)
	gone := s.subs.remove(func(sub) bool { return true })
	call := func(o Owner) { o.Reset(s.id, known, reason) }
	end := ending{seq: max(s.seq.head(), 0), era: s.era}
	if reason == ReasonEpoch || reason == ReasonAhead {
		s.era++ // what was sent is of another history
	}
	for _, n := range gone {
		n.conn.detach(s, end)
		if s.personal {
			n.conn.release(s)
			n.conn.notify(call)
		} else {
			s.pend.tell(notice{n.conn, call})
		}
	}
	s.pend.close()
	s.hub.stats.resets.Add(int64(len(gone)))
	s.forget()
	s.left(len(gone), now)
	s.settle(now)
}

// forget drops the position and everything that depends on it. Nobody may be subscribed.
func (s *stream) forget() {
	s.history++
	s.seq.forget()
	s.flushed = 0
	s.clearRing()
	for _, w := range s.waiters {
		close(w.ch)
	}
	s.waiters = nil
}

// place gives the stream its position, which the database was read to have.
func (s *stream) place(seq int64, now time.Time) {
	s.seq.place(seq)
	s.flushed = seq
	s.popAll(now)
}

// keep puts an event into the ring and holds to the budget.
func (s *stream) keep(e Event) {
	before := s.ring.bytes
	s.ring.push(e, s.hub.cfg.RingEvents)
	s.hub.stats.ringBytes.Add(int64(s.ring.bytes - before))
	s.shrink()
}

// shrink drops the oldest entries while all rings together are over their budget.
func (s *stream) shrink() {
	for s.ring.n > 1 && s.hub.stats.ringBytes.Load() > int64(s.hub.cfg.RingBytes) {
		before := s.ring.bytes
		s.ring.dropFirst()
		s.hub.stats.ringBytes.Add(int64(s.ring.bytes - before))
	}
}

func (s *stream) clearRing() {
	s.hub.stats.ringBytes.Add(-int64(s.ring.bytes))
	s.ring.clear()
}

// wake ends the wait of those whose seq was reached.
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

// join adds a subscription; the connection has everything up to the head.
func (s *stream) join(c *Conn, added int64, now time.Time) error {
	if !c.attach(s, s.seq.head()) {
		return ErrClosed
	}
	if len(s.subs.list) == 0 {
		s.interval = s.hub.cfg.CheckEvery
		s.checkAt.Store(now.Add(s.hub.checkDelay(s.interval)).UnixNano())
	}
	s.subs.add(sub{conn: c, added: added})
	s.pend.splitAtJoin(&s.subs)
	s.hub.stats.subscriptions.Add(1)
	return nil
}

// leave ends one connection's subscription because the connection ends.
func (s *stream) leave(c *Conn, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := s.subs.remove(func(n sub) bool { return n.conn == c })
	s.pend.close()
	s.left(len(gone), now)
}

// left counts ended subscriptions; without any, the stream begins to linger.
func (s *stream) left(n int, now time.Time) {
	s.hub.stats.subscriptions.Add(-int64(n))
	s.idle(now)
}

// idle starts the linger if nobody needs the stream.
func (s *stream) idle(now time.Time) {
	if len(s.subs.list) > 0 || s.pins > 0 || s.dead.Load() {
		return
	}
	s.idleSince = now
	if !s.lingering {
		s.lingering = true
		s.hub.agenda.add(s, dueLinger, now.Add(s.hub.cfg.Linger))
	}
}
