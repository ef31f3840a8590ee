package server

import (
	"context"

	"fechatter/chat"
	"fechatter/hub"
)

// position is where a client stands by its own account: cursors of an epoch, or those
// of a token. known is false for a token that could not be read: everything is reset.
type position struct {
	epoch   string
	cursors map[string]int64
	known   bool
}

// position returns where the client stands, now that the entries are known. A token
// speaks for every chat: one that it does not hold was joined after the token was
// written, and what the client has of it is not known, so that it is reset.
func (c *connection) position(ctx context.Context, r resumePayload, page chat.EntryPage) (position, error) {
	at, err := c.claimed(ctx, r, page)
	if err != nil || r.Token == nil || !at.known {
		return at, err
	}
	for _, e := range page.Entries {
		if _, ok := at.cursors[e.ID]; !ok && !e.Hidden {
			at.cursors[e.ID] = 0
		}
	}
	return at, nil
}

// claimed reads the position that the resume states.
func (c *connection) claimed(ctx context.Context, r resumePayload, page chat.EntryPage) (position, error) {
	if r.Token == nil {
		return position{epoch: r.Epoch, cursors: r.Cursors, known: true}, nil
	}
	t, err := parseToken(*r.Token)
	if err != nil {
		return position{}, nil //nolint:nilerr // a token that cannot be read leads to resets, not to an error
	}
	if t.epoch == page.Epoch && t.horizon > page.Horizon { // of what has not happened, or not here
		return position{}, nil
	}
	at := position{epoch: t.epoch, cursors: t.cursors, known: true}
	if t.complete || t.epoch != page.Epoch {
		return at, nil
	}
	rest, err := c.server.chat.CursorsAt(ctx, c.user(), t.horizon)
	if err != nil {
		return position{}, err
	}
	for id, seq := range rest {
		if _, ok := at.cursors[id]; !ok {
			at.cursors[id] = seq
		}
	}
	return at, nil
}

// replay attaches every chat: those with a cursor first, the most recently active
// leading, so that an allotment that runs out hits the others; then the rest. The
// outcome is fresh, lossless or reset.
func (c *connection) replay(ctx context.Context, page chat.EntryPage, at position) (outcome string, err error) {
	left := allotment{events: int64(c.server.limits.ResumeEvents), bytes: resumeBytes}
	outcome = "fresh"
	if len(at.cursors) > 0 {
		outcome = "lossless"
	}
	for _, e := range page.Entries {
		cursor, ok := at.cursors[e.ID]
		if at.known && !ok {
			continue
		}
		after := cursor
		if reason := c.resetReason(e, at, cursor, page.Epoch, left); reason != "" {
			outcome = "reset"
			c.sendReset(e, reason)
			after = e.LastSeq
		}
		did, err := c.attach(ctx, e, after, left.bytes, page.Epoch)
		if err != nil {
			return "", err
		}
		switch {
		case did.reset:
			outcome = "reset"
		case after < e.LastSeq:
			left.events -= e.LastSeq - after
			left.bytes -= did.bytes
		}
	}
	return outcome, c.attachRest(ctx, page, at)
}

func (c *connection) attachRest(ctx context.Context, page chat.EntryPage, at position) error {
	for _, e := range page.Entries {
		if _, done := at.cursors[e.ID]; done || !at.known {
			continue
		}
		if _, err := c.attach(ctx, e, e.LastSeq, 0, page.Epoch); err != nil {
			return err
		}
	}
	return nil
}

// allotment is what a resume as a whole may still replay.
type allotment struct {
	events int64
	bytes  int
}

// resetReason returns why a chat cannot be replayed from the client's cursor, or ""
// if it can, as far as is known without reading its events.
func (c *connection) resetReason(e chat.Entry, at position, cursor int64, epoch string, left allotment) string {
	behind := e.LastSeq - cursor
	switch {
	case !at.known, at.epoch != "" && at.epoch != epoch:
		return hub.ReasonEpoch
	case behind < 0:
		return hub.ReasonAhead
	case cursor < e.AddedSeq:
		return hub.ReasonRejoined
	case behind == 0:
		return ""
	case behind > int64(c.server.limits.ResumeWindow), behind > left.events, left.bytes <= 0:
		return hub.ReasonTooFar
	}
	return ""
}
