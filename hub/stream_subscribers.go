package hub

import "time"

// sub is one connection's subscription to a stream.
type sub struct {
	conn  *Conn
	added int64 // the seq at which the user was added: a removal above it ends the subscription
}

// subset is a set of subscriptions with copy on write: once a segment has taken the list, a change
// copies it.
type subset struct {
	list   []sub
	sse    int // how many of them use SSE
	shared bool
}

// share returns the list, which never changes from then on.
func (s *subset) share() []sub {
	s.shared = true
	return s.list
}

func (s *subset) websockets() int { return len(s.list) - s.sse }

func (s *subset) add(n sub) {
	s.own(1)
	s.list = append(s.list, n)
	if n.conn.format == SSE {
		s.sse++
	}
}

// remove removes every subscription for which gone returns true, and returns those.
func (s *subset) remove(gone func(sub) bool) (out []sub) {
	for _, n := range s.list {
		if gone(n) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil
	}
	s.own(0)
	kept := s.list[:0]
	for _, n := range s.list {
		if !gone(n) {
			kept = append(kept, n)
		} else if n.conn.format == SSE {
			s.sse--
		}
	}
	clear(s.list[len(kept):])
	if s.list = kept; len(kept) == 0 {
		s.list = nil
	}
	return out
}

// own makes the list safe to change, with room for extra more.
func (s *subset) own(extra int) {
	if s.shared {
		s.list = append(make([]sub, 0, len(s.list)+extra), s.list...)
		s.shared = false
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
	s.unwatch(c)
	s.subs.add(sub{conn: c, added: added})
	s.pend.close() // the ring gave the connection what this segment holds
	s.hub.stats.subscriptions.Add(1)
	return nil
}

// renew confirms an existing subscription under the membership that the caller has read.
func (s *stream) renew(c *Conn, added int64) (head int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.subs.list {
		if s.subs.list[i].conn == c {
			if s.subs.list[i].added < added {
				s.subs.own(0)
				s.subs.list[i].added = added
			}
			return s.seq.head(), true
		}
	}
	return 0, false
}

// expel ends the subscriptions of a removed user that are older than the removal, which is their
// last frame.
func (s *stream) expel(e Event, now time.Time) {
	gone := s.subs.remove(func(n sub) bool { return e.endsFor(n.conn.user, n.added) })
	for _, n := range gone {
		n.conn.detach(s, ending{seq: e.Seq, removed: true, era: s.era})
		s.pend.addNotice(notice{n.conn, func(o Owner) { o.Detached(s.id, e.Seq) }})
	}
	if len(gone) > 0 {
		s.pend.close() // the removed user gets nothing after this
		s.left(len(gone), now)
	}
}

// reset ends every subscription because the hub cannot go on without a hole, and forgets the
// position.
func (s *stream) reset(reason string, now time.Time) {
	known := max(s.seq.known, s.seq.head(), 0)
	gone := s.subs.remove(func(sub) bool { return true })
	call := func(o Owner) { o.Reset(s.id, known, reason) }
	end := ending{seq: max(s.seq.head(), 0), era: s.era}
	if reason == ReasonEpoch || reason == ReasonAhead {
		s.era++ // what was sent belongs to another history
	}
	for _, n := range gone {
		n.conn.detach(s, end)
		if s.personal {
			n.conn.release(s)
			n.conn.notify(call)
		} else {
			s.pend.addNotice(notice{n.conn, call})
		}
	}
	s.pend.close()
	s.hub.stats.resets.Add(int64(len(gone)))
	s.forget()
	s.left(len(gone), now)
	s.followUp(now)
}

// leave ends one connection's subscription because the connection ends.
func (s *stream) leave(c *Conn, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := s.subs.remove(func(n sub) bool { return n.conn == c })
	s.pend.close()
	s.unwatch(c)
	s.left(len(gone), now)
}

// left counts ended subscriptions; a stream without any begins to linger.
func (s *stream) left(n int, now time.Time) {
	s.hub.stats.subscriptions.Add(-int64(n))
	s.idle(now)
}

// idle starts the linger if nobody needs the stream.
func (s *stream) idle(now time.Time) {
	if len(s.subs.list) > 0 || len(s.watchers) > 0 || s.pins > 0 || s.dead.Load() {
		return
	}
	s.idleSince = now
	if !s.lingering {
		s.lingering = true
		s.hub.agenda.add(s, dueLinger, now.Add(s.hub.cfg.Linger))
	}
}
