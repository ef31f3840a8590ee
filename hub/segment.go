package hub

import "time"

// notice is something to tell a connection's owner once the segment's bytes are written.
type notice struct {
	conn *Conn
	call ownerCall
}

// segment is a run of frames for one fixed set of subscriptions.
type segment struct {
	ws, sse *buffer // nil while no subscriber uses the format
	subs    []sub
	frames  int
	last    int64 // the seq of the last frame
	notices []notice
	created []int64       // the seqs of the frames that are new messages
	traced  []tracedFrame // nearly always empty
}

type tracedFrame struct {
	trace string
	seq   int64
	since time.Time
}

// pending gathers what a pump has still to write. A segment's bytes grow until it is closed; its
// set of subscriptions is fixed.
type pending struct {
	segments []segment
	open     bool // the last segment still accepts frames
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

// current returns the open segment, or opens one with the set as it is.
func (p *pending) current(subs *subset) *segment {
	if !p.open {
		p.segments = append(p.segments, segment{subs: subs.share()})
		p.open = true
	}
	return &p.segments[len(p.segments)-1]
}

// close ends the open segment, because the subscriptions are about to change or have just changed.
func (p *pending) close() { p.open = false }

// addNotice adds a notice to be given once everything added so far is written. The caller closes
// the segment.
func (p *pending) addNotice(n notice) {
	if p.empty() {
		p.segments = append(p.segments, segment{})
	}
	seg := &p.segments[len(p.segments)-1]
	seg.notices = append(seg.notices, n)
}

// swap returns what has gathered and continues in spare.
func (p *pending) swap(spare []segment) []segment {
	s := p.segments
	p.segments, p.open = spare[:0], false
	return s
}
