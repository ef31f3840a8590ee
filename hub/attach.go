package hub

import (
	"context"
	"errors"
	"time"
)

// Position is what the caller of Attach has read after Open: membership and last seq, in one
// statement.
type Position struct {
	Stream string
	Added  int64 // seq at which the user was added
	Last   int64 // the stream's last seq
	After  int64 // deliver what follows this seq: the client's cursor, or Last for a fresh start
	// MaxBytes limits the data of the replay up to Last, in bytes; 0 means no limit. A longer
	// replay is not begun: the outcome is MustReset with ReasonTooFar.
	MaxBytes int
	// Epoch is that of the read, empty if unknown. For a position that belongs to another history
	// than the database's present one the outcome is MustReset with ReasonEpoch.
	Epoch string
}

// Outcome is how an Attach ended.
type Outcome uint8

const (
	// Subscribed: everything after Position.After is queued, or will be when it comes.
	Subscribed Outcome = iota
	// Left: the user is no longer a member. Frames up to the removal, if it was known, are queued.
	Left
	// MustReset: the requested events are not available. Read again, send the client a reset,
	// attach again.
	MustReset
)

// Attached is the result of Attach.
type Attached struct {
	Outcome Outcome
	// Seq is, by outcome, the last seq queued so far (Subscribed), the removal or 0 if unknown
	// (Left), the last seq known (MustReset).
	Seq    int64
	Reason string // MustReset: one of the Reason constants
	Bytes  int    // of the events that this call queued
}

// Errors of Attach, besides ErrClosed.
var (
	ErrNotOpen = errors.New("stream not open")
	ErrBusy    = errors.New("stream is already being attached")
	ErrBehind  = errors.New("stream did not reach the position in time")
)

// Attach is the one way to subscribe a connection to a chat. It queues everything after p.After,
// paced by the socket, and subscribes without a hole or a repetition. The stream must be open
// (ErrNotOpen). At most one call per connection and stream may run at a time (ErrBusy); a call for
// a stream that is already attached sends nothing and returns Subscribed. Other errors: the
// context's, ErrClosed (connection or hub), ErrBehind, or the source's.
func (h *Hub) Attach(ctx context.Context, c *Conn, p Position) (Attached, error) {
	s := h.streams.pin(p.Stream, nil)
	if s == nil {
		return Attached{}, ErrNotOpen
	}
	defer func() { s.unpin(time.Now()) }()
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

// attach is an Attach in progress.
type attach struct {
	Position
	hub    *Hub
	s      *stream
	c      *Conn
	era    uint32 // the stream's, when the position was known to belong to its history
	cursor int64  // everything up to it is queued
	bytes  int    // of the queued events
	loaded bool   // completing the ring for this cursor was not enough
}

func (a *attach) rewound() Attached {
	return Attached{Outcome: MustReset, Seq: a.Last, Reason: ReasonEpoch}
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
		var done Attached
		switch {
		case err != nil || step.done:
			return step.result, err
		case step.again:
		case len(step.events) > 0:
			done, err = a.replay(ctx, step.events)
		case a.near(step.head) && !a.loaded:
			a.loaded, err = a.hub.load(ctx, a.s, a.cursor)
		default:
			done, err = a.page(ctx)
		}
		if err != nil || done.Outcome != Subscribed {
			return done, err
		}
	}
}

// target is the seq that the stream must reach before the connection may join: what lies between is
// for those who were members then.
func (a *attach) target() int64 { return max(a.Last, a.cursor) }

// near reports whether the ring can be made to cover the cursor.
func (a *attach) near(head int64) bool { return head-a.cursor <= int64(a.hub.cfg.RingEvents) }

// reach waits until the stream has reached a seq. A stream without a position adopts seq as its
// own.
func (a *attach) reach(ctx context.Context, seq int64) error {
	for {
		reached, err := a.s.await(seq, a.era, time.Now())
		if reached == nil || err != nil {
			return err
		}
		if err := pausing(ctx, func() error { return a.await(ctx, reached) }); err != nil {
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

// await returns nil if the stream has reached seq, or a channel to wait for before asking again.
// The error is errRewound.
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
		s.followUp(now)
		return nil, nil
	}
	w := waiter{seq: seq, ch: make(chan struct{})}
	s.waiters = append(s.waiters, w)
	s.seq.expect(seq)
	s.followUp(now)
	return w.ch, nil
}
