package hub

import (
	"context"
	"errors"
	"time"
)

// AttachPersonal subscribes the connection's owner to the personal stream of its user, after seq
// pos, as read from the database after Open; if pos is negative, the hub reads the position itself.
// Events reach Owner.Personal. The errors are those of Attach.
func (h *Hub) AttachPersonal(ctx context.Context, c *Conn, user string, pos int64) error {
	s := h.streams.pin(user, nil)
	if s == nil {
		return ErrNotOpen
	}
	defer func() { s.unpin(time.Now()) }()
	if r, _, err := c.reserve(s); err != nil || r != reserved {
		return err
	}
	defer c.release(s)
	for {
		a := attach{hub: h, s: s, c: c, Position: Position{Stream: user, Last: pos}, cursor: pos, era: s.currentEra()}
		err := a.runPersonal(ctx)
		if !errors.Is(err, errRewound) {
			return err
		}
		pos = -1 // the given position belongs to another history
	}
}

// runPersonal is run for the stream of a user.
func (a *attach) runPersonal(ctx context.Context) error {
	if a.cursor < 0 {
		now, err := a.hub.readPosition(ctx, a.Stream)
		if err != nil {
			return err
		}
		a.Last, a.cursor = now, now
	}
	for {
		if err := a.reach(ctx, a.cursor); err != nil {
			return err
		}
		if joined, err := a.joinPersonal(time.Now()); joined || err != nil {
			return err
		}
		if err := a.pagePersonal(ctx); err != nil {
			return err
		}
	}
}

// joinPersonal hands over what the ring holds after the cursor and subscribes, or returns false if
// the ring does not reach back that far.
func (a *attach) joinPersonal(now time.Time) (bool, error) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.era != a.era {
		return false, errRewound
	}
	s.personal = true
	head := s.seq.head()
	if !s.seq.placed() || head < a.cursor {
		return false, nil
	}
	for a.cursor < head {
		events, _, ok := s.ring.after(a.cursor, replayBytes)
		if !ok {
			return false, nil
		}
		a.handOver(events)
	}
	err := s.join(a.c, 0, now)
	s.followUp(now)
	return err == nil, err
}

// pagePersonal hands over a page from the source. A page that is no longer there is skipped:
// personal events are only a wake-up, and everything they announce is read after this call.
func (a *attach) pagePersonal(ctx context.Context) error {
	a.hub.stats.pageReads.Add(1)
	events, err := a.hub.readEvents(ctx, a.Stream, a.cursor, pageEvents)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		a.cursor = max(a.cursor, a.s.position())
		return nil
	}
	a.handOver(events)
	return nil
}

// handOver passes events to the owner and moves the cursor past them.
func (a *attach) handOver(events []Event) {
	for _, e := range events {
		a.c.notify(func(o Owner) { o.Personal(e) })
		a.cursor = e.Seq
	}
}
