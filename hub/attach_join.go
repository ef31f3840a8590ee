package hub

import (
	"context"
	"time"
)

// joining is the result of one look at the stream.
type joining struct {
	done   bool
	result Attached
	again  bool    // the stream has moved back: wait for it again
	events []Event // send these first, then look again
	head   int64
}

// join subscribes under the stream's lock if the ring covers everything after the cursor. A long
// remainder is returned, to be sent outside the lock first.
func (a *attach) join(now time.Time) (joining, error) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.era != a.era {
		return joining{}, errRewound
	}
	head := s.seq.head()
	if !s.seq.placed() || head < a.target() {
		return joining{again: true}, nil
	}
	events, more, ok := s.ring.after(a.cursor, replayBytes)
	switch {
	case a.cursor >= head:
	case !ok:
		return joining{head: head}, nil
	case more:
		return joining{events: events, head: head}, nil
	}
	cut, left := a.fence(events)
	if err := a.queue(cut); err != nil {
		return joining{}, err
	}
	if left {
		return joining{done: true, result: a.left()}, nil
	}
	if err := s.join(a.c, a.Added, now); err != nil {
		return joining{}, err
	}
	s.followUp(now)
	return joining{done: true, result: Attached{Outcome: Subscribed, Seq: head}}, nil
}

// fence cuts the events after a removal of this user.
func (a *attach) fence(events []Event) (cut []Event, left bool) {
	for i, e := range events {
		if e.endsFor(a.c.user, a.Added) {
			return events[:i+1], true
		}
	}
	return events, false
}

func (a *attach) left() Attached { return Attached{Outcome: Left, Seq: a.cursor} }

// queue puts the last frames before the subscription into the backlog, under the stream's lock and
// outside the limit.
func (a *attach) queue(events []Event) error {
	if len(events) == 0 {
		return nil
	}
	b := a.frames(events)
	defer a.hub.buffers.put(b)
	return a.c.wire.push(b.b, paced, nil)
}

// replay sends events at the socket's pace, up to a removal of this user.
func (a *attach) replay(ctx context.Context, events []Event) (Attached, error) {
	cut, left := a.fence(events)
	if len(cut) > 0 {
		b := a.frames(cut)
		defer a.hub.buffers.put(b)
		if err := a.c.wire.pushPaced(ctx, b.b); err != nil {
			return Attached{}, err
		}
	}
	if left {
		return a.left(), nil
	}
	return Attached{}, nil
}

// replayAll is replay in portions.
func (a *attach) replayAll(ctx context.Context, events []Event) (Attached, error) {
	for len(events) > 0 {
		n, size := 0, 0
		for n < len(events) && (n == 0 || size+len(events[n].Data) <= replayBytes) {
			size += len(events[n].Data)
			n++
		}
		done, err := a.replay(ctx, events[:n])
		if err != nil || done.Outcome == Left {
			return done, err
		}
		events = events[n:]
	}
	return Attached{}, nil
}

// frames encodes events and moves the cursor past them.
func (a *attach) frames(events []Event) *buffer {
	b := a.hub.buffers.get()
	for _, e := range events {
		b.b = appendDocument(b.b, a.c.format, e.Op, e.Data)
		a.bytes += len(e.Data)
	}
	a.cursor, a.loaded = events[len(events)-1].Seq, false
	return b
}
