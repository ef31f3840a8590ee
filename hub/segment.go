package hub

import "time"

// sub is one connection's subscription to a stream.
type sub struct {
	conn  *Conn
	added int64 // the seq at which the user was added: a removal above it ends the subscription
}

// subset is a set of subscriptions with copy on write: once a segment has taken the list, a change copies it.
type subset struct {
	list   []sub
	sse    int // how many of them speak SSE
	shared bool
}

// share answers the list, which from then on never changes.
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

// remove takes out every subscription for which gone is true, and answers those.
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

// notice is something to tell a connection's owner after the segment's bytes were written.
type notice struct {
	conn *Conn
	call ownerCall
}

// segment is a run of frames for one fixed set of subscriptions.
type segment struct {
	ws, sse *buffer // nil while no subscriber speaks the format
	subs    []sub
	frames  int
	last    int64 // the seq of the last frame
	notices []notice
	created []int64       // the seqs of those that are new messages
	traced  []tracedFrame // of frames that are followed: nearly always none
}

type tracedFrame struct {
	trace string
	seq   int64
	since time.Time
}

// pending gathers what a pump has still to write. A segment's bytes grow until it is closed; its set is fixed.
type pending struct {
	segments []segment
	open     bool // the last segment still takes frames
}

func (p *pending) empty() bool { return len(p.segments) == 0 }

// add appends an event's frame for the current subscribers.
func (p *pending) add(e Event, subs *subset, bufs *buffers) {
	seg := p.current(subs)
	if subs.websockets() > 0 {
		seg.ws = bufs.ensure(seg.ws)
		seg.ws.b = appendText(seg.ws.b, e.Data)
	}
	if subs.sse > 0 {
		seg.sse = bufs.ensure(seg.sse)
		seg.sse.b = appendBlock(seg.sse.b, e.Op, e.Data)
	}
	seg.frames++
	seg.last = e.Seq
	if e.Kind == Content {
		seg.created = append(seg.created, e.Seq)
	}
	if e.Trace != "" {
		seg.traced = append(seg.traced, tracedFrame{e.Trace, e.Seq, time.Now()})
	}
}

// current answers the open segment, or opens one with the set as it is.
func (p *pending) current(subs *subset) *segment {
	if !p.open {
		p.segments = append(p.segments, segment{subs: subs.share()})
		p.open = true
	}
	return &p.segments[len(p.segments)-1]
}

// close ends the open segment: the subscriptions are about to change, or have just changed.
func (p *pending) close() { p.open = false }

// tell adds a notice to be given after everything added so far was written. The caller closes the segment.
func (p *pending) tell(n notice) {
	if p.empty() {
		p.segments = append(p.segments, segment{})
	}
	seg := &p.segments[len(p.segments)-1]
	seg.notices = append(seg.notices, n)
}

// take answers what has gathered and goes on in spare.
func (p *pending) take(spare []segment) []segment {
	s := p.segments
	p.segments, p.open = spare[:0], false
	return s
}
