package hub

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// AttachPersonal subscribes the connection's owner to the personal stream of its user, after seq pos, as read from the
// database after Open; below 0 the hub reads the position itself. Events reach Owner.Personal. The errors are those of
// Attach.
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
		pos = -1 // what was given is of another history
	}
}

// runPersonal is run for the stream of a user.
func (a *attach) runPersonal(ctx context.Context) error {
	if a.cursor < 0 {
		now, err := a.hub.last(ctx, a.Stream)
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

// last reads one stream's position. A stream that does not exist yet is at 0.
func (h *Hub) last(ctx context.Context, stream string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.SourceTimeout)
	defer cancel()
	_, last, err := h.src.Positions(ctx, []string{stream})
	if err != nil {
		return 0, fmt.Errorf("read position of stream: %w", err)
	}
	return last[stream], nil
}

// joinPersonal hands over what the ring has after the cursor and subscribes; false when the ring does not reach back.
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
		a.tell(events)
	}
	err := s.join(a.c, 0, now)
	s.settle(now)
	return err == nil, err
}

// pagePersonal hands over a page from the source. One that is not there any more is passed over: personal events only
// wake, and everything that they tell of is read after this call.
func (a *attach) pagePersonal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.hub.cfg.SourceTimeout)
	defer cancel()
	a.hub.stats.pageReads.Add(1)
	events, err := a.hub.src.Events(ctx, a.Stream, a.cursor, pageEvents)
	if err == nil {
		events, err = consecutive(events)
	}
	if err != nil {
		return fmt.Errorf("read personal events: %w", err)
	}
	if len(events) == 0 {
		a.cursor = max(a.cursor, a.s.position())
		return nil
	}
	a.tell(events)
	return nil
}

// tell hands events to the owner and moves the cursor behind them.
func (a *attach) tell(events []Event) {
	for _, e := range events {
		a.c.notify(func(o Owner) { o.Personal(e) })
		a.cursor = e.Seq
	}
}

// position answers the last seq delivered, -1 without a position.
func (s *stream) position() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq.head()
}

// progress answers the seq up to which everything was queued to every subscriber, and whether this is a chat.
func (s *stream) progress() (flushed int64, chat bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flushed, !s.personal
}
