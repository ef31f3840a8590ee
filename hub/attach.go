package hub

import (
	"context"
	"errors"
	"time"
)

// Position is what the caller of Attach has read, membership and last seq in one statement, after Open.
type Position struct {
	Stream string
	Added  int64 // seq at which the user was added
	Last   int64 // the stream's last seq
	After  int64 // deliver what follows this seq: the client's cursor, or Last for a fresh start; at most Last
	// MaxBytes bounds the data of the replay up to Last, in bytes; 0 is no limit. A longer replay is not begun: MustReset
	// with ReasonTooFar.
	MaxBytes int
	// Epoch is that of the read, empty if it is not known. A position of another history than the database's present
	// one gets MustReset with ReasonEpoch.
	Epoch string
}

// Outcome says how an Attach ended.
type Outcome uint8

const (
	// Subscribed: everything after Position.After is queued, or will be when it comes.
	Subscribed Outcome = iota
	// Left: the user is no longer a member. Frames up to the removal were queued if it was known.
	Left
	// MustReset: the events asked for cannot be had. Read anew, send the client a reset, attach again.
	MustReset
)

// Attached is the result of Attach.
type Attached struct {
	Outcome Outcome
	Seq     int64  // Subscribed: the last seq queued so far. Left: the removal, 0 if unknown. MustReset: the last known
	Reason  string // MustReset: one of the Reason constants
	Bytes   int    // of the events that this call queued
}

const (
	// replayBytes is how much of a replay is queued at once.
	replayBytes = 32 << 10
	// pageEvents is the size of a page of Source.EventsFor.
	pageEvents = 200
)

// Attach is the one way to subscribe a connection to a chat. It queues everything after p.After, paced by the socket,
// and subscribes without a hole or a repetition. The stream must be open (ErrNotOpen). At most one call per connection
// and stream at a time (ErrBusy); a call for a stream that is attached already sends nothing and answers Subscribed.
// Errors: the context's, ErrClosed (connection or hub), ErrBehind, or the source's.
func (h *Hub) Attach(ctx context.Context, c *Conn, p Position) (Attached, error) {
	s := h.streams.pin(p.Stream, nil)
	if s == nil {
		return Attached{}, ErrNotOpen
	}
	defer func() { s.unpin(time.Now()) }()
	if !openBeforeRead {
		h.joinBus(ctx, []*stream{s})
	}
	p.Last = max(p.Last, 0)
	a := attach{hub: h, s: s, c: c, Position: p, cursor: max(0, min(p.After, p.Last))}
	if same, err := a.sameHistory(ctx); err != nil || !same {
		return a.rewound(), err
	}
	done, err := a.attach(ctx)
	if errors.Is(err, errRewound) {
		done, err = a.rewound(), nil
	}
	done.Bytes = a.bytes
	return done, err
}

func (a *attach) attach(ctx context.Context) (Attached, error) {
	was, head, already, err := a.reserve(ctx)
	if err != nil || already {
		return Attached{Outcome: Subscribed, Seq: head}, err
	}
	defer a.c.release(a.s)
	if a.overtaken(was) {
		return Attached{Outcome: Left, Seq: was.seq}, nil
	}
	done, err := a.run(ctx)
	a.remember(done, err)
	return done, err
}

func (a *attach) rewound() Attached {
	return Attached{Outcome: MustReset, Seq: a.Last, Reason: ReasonEpoch}
}

// attach is one Attach under way.
type attach struct {
	Position
	hub    *Hub
	s      *stream
	c      *Conn
	era    uint32 // of the stream when the position was known to be of its history
	cursor int64  // everything up to it is queued
	bytes  int    // of the events queued
	loaded bool   // the ring was completed for this cursor, and that was not enough
}

// run sends and reads until the connection is subscribed or cannot be.
func (a *attach) run(ctx context.Context) (Attached, error) {
	if large, err := a.tooLarge(ctx); err != nil || large {
		return Attached{Outcome: MustReset, Seq: a.Last, Reason: ReasonTooFar}, err
	}
	for {
		if err := a.reach(ctx, a.target()); err != nil {
			return Attached{}, err
		}
		step, err := a.join(time.Now())
		if err != nil || step.done {
			return step.result, err
		}
		if len(step.events) > 0 {
			done, err := a.replay(ctx, step.events)
			if err != nil || done.Outcome == Left {
				return done, err
			}
			continue
		}
		if step.again {
			continue
		}
		if a.near(step.head) && !a.loaded {
			if a.loaded, err = a.hub.load(ctx, a.s, a.cursor); err != nil {
				return Attached{}, err
			}
			continue
		}
		if done, err := a.page(ctx); err != nil || done.Outcome != Subscribed {
			return done, err
		}
	}
}

// target is the seq that the stream must have come to.
func (a *attach) target() int64 {
	if !waitsForStream {
		return 0
	}
	return max(a.Last, a.cursor)
}

// near reports whether the ring can be made to cover the cursor.
func (a *attach) near(head int64) bool { return head-a.cursor <= int64(a.hub.cfg.RingEvents) }

// reach waits until the stream has come to a seq. A stream without a position takes it from here.
func (a *attach) reach(ctx context.Context, seq int64) error {
	for {
		reached, err := a.s.await(seq, a.era, time.Now())
		if reached == nil || err != nil {
			return err
		}
		if err := a.await(ctx, reached); err != nil {
			return err
		}
	}
}

// await waits for the stream, at most for Config.AttachTimeout.
func (a *attach) await(ctx context.Context, done <-chan struct{}) error {
	timeout := time.NewTimer(a.hub.cfg.AttachTimeout)
	defer timeout.Stop()
	select {
	case <-done:
		return nil
	case <-timeout.C:
		return ErrBehind
	case <-ctx.Done():
		return ctx.Err()
	case <-a.hub.ended:
		return ErrClosed
	}
}

// await answers nil when the stream has reached a seq, or what to wait for before asking again. The error is errRewound.
func (s *stream) await(seq int64, era uint32, now time.Time) (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.era != era {
		return nil, errRewound
	}
	if !s.seq.placed() {
		s.place(seq, now)
	}
	if s.seq.head() >= seq {
		s.settle(now)
		return nil, nil
	}
	w := waiter{seq: seq, ch: make(chan struct{})}
	s.waiters = append(s.waiters, w)
	s.seq.expect(seq)
	s.settle(now)
	return w.ch, nil
}

// joining is what came out of one look at the stream.
type joining struct {
	done   bool
	result Attached
	again  bool    // the stream has moved back: wait for it anew
	events []Event // send these first, then look again
	head   int64
}

// join subscribes under the stream's lock if the ring covers everything after the cursor. A long rest is answered to be
// sent outside the lock first.
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
	case a.cursor == head, !waitsForStream && a.cursor > head:
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
	s.settle(now)
	return joining{done: true, result: Attached{Outcome: Subscribed, Seq: head}}, nil
}

// fence cuts events after the removal of this user.
func (a *attach) fence(events []Event) (cut []Event, left bool) {
	for i, e := range events {
		if e.endsFor(a.c.user, a.Added) {
			return events[:i+1], true
		}
	}
	return events, false
}

func (a *attach) left() Attached { return Attached{Outcome: Left, Seq: a.cursor} }

// queue puts the last frames before the subscription into the queue, under the stream's lock and outside the limit.
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

// frames encodes events and moves the cursor behind them.
func (a *attach) frames(events []Event) *buffer {
	b := a.hub.buffers.get()
	for _, e := range events {
		b.b = appendDocument(b.b, a.c.format, e.Op, e.Data)
		a.bytes += len(e.Data)
	}
	a.cursor, a.loaded = events[len(events)-1].Seq, false
	return b
}
