package server

import (
	"context"
	"encoding/json"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

const (
	chatsFrameBytes = 64 << 10 // of one chats frame
	resumeBytes     = 1 << 20  // of events that one resume replays
	maxUserResumes  = 4        // of one user
	maxResumes      = 32       // at once on a node
	// maxWaitingResumes is how many may wait for their turn before nobody else is
	// let in: seconds of work, in which more would only grow old.
	maxWaitingResumes = 4096
	resumeWait        = 30 * time.Second
)

// position is where a client says it stands: cursors of an epoch, or those of a
// token. known is false for a token that could not be read: everything is reset.
type position struct {
	epoch   string
	cursors map[string]int64
	known   bool
}

// resume brings the client from its position to now and subscribes it to every
// chat of its user. ready sends the last frame.
func (c *connection) resume(ctx context.Context, r resumePayload, ready func(ctx context.Context, epoch string) error) {
	waiting, enough := context.WithTimeout(ctx, resumeWait)
	leave, err := c.server.realtime.resumes.enter(waiting, c.user())
	enough()
	if err != nil {
		c.fail(ctx, "wait for a turn to resume", err)
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, resumeTimeout)
	defer cancel()
	c.resumed = true
	page, release, err := c.openAll(ctx)
	if err != nil {
		c.fail(ctx, "open chats", err)
		return
	}
	defer release()
	if c.sse != nil {
		c.sse.epoch, c.sse.clock = page.Epoch, databaseClock{read: page.Now, when: time.Now()}
	}
	at, err := c.position(ctx, r, page)
	if err == nil {
		err = c.sendChats(ctx, page.Entries)
	}
	c.places = make(places, 0, len(page.Entries))
	outcome := "failed"
	if err == nil {
		outcome, err = c.replay(ctx, page, at)
	}
	if err == nil {
		err = ready(ctx, page.Epoch)
	}
	if err != nil {
		outcome = "failed"
		c.fail(ctx, "resume", err)
	}
	c.server.observer.Resume(outcome)
}

// openAll subscribes the node to the streams of all the user's chats, and then
// reads the entries in one snapshot. A chat that came in between opens the rest.
func (c *connection) openAll(ctx context.Context) (page chat.EntryPage, release func(), err error) {
	ids, err := c.server.chat.ChatIDs(ctx, c.user())
	if err != nil {
		return page, nil, err
	}
	for {
		release, err := c.server.hub.Open(ctx, ids...)
		if err != nil {
			return page, nil, err
		}
		page, err = c.server.chat.AllEntries(ctx, c.user())
		if err != nil {
			release()
			return page, nil, err
		}
		missing := unopened(ids, page.Entries)
		if len(missing) == 0 {
			return page, release, nil
		}
		release()
		ids = append(ids, missing...)
	}
}

func unopened(ids []string, entries []chat.Entry) (missing []string) {
	open := make(map[string]bool, len(ids))
	for _, id := range ids {
		open[id] = true
	}
	for _, e := range entries {
		if !open[e.ID] {
			missing = append(missing, e.ID)
		}
	}
	return missing
}

// position reads where the client stands, now that the entries are known. A token
// speaks for every chat: one that it does not hold was joined after it, and what
// the client has of it is not known.
func (c *connection) position(ctx context.Context, r resumePayload, page chat.EntryPage) (position, error) {
	at, err := c.told(ctx, r, page)
	if err != nil || r.Token == nil || !at.known {
		return at, err
	}
	for _, e := range page.Entries {
		if _, ok := at.cursors[e.ID]; !ok && resetJoinedLater {
			at.cursors[e.ID] = 0
		}
	}
	return at, nil
}

// told reads what the resume says.
func (c *connection) told(ctx context.Context, r resumePayload, page chat.EntryPage) (position, error) {
	if r.Token == nil {
		return position{epoch: r.Epoch, cursors: r.Cursors, known: true}, nil
	}
	t, err := parseToken(*r.Token)
	if err != nil {
		return position{}, nil //nolint:nilerr // a token that is not understood gives resets, not an error
	}
	at := position{epoch: t.epoch, cursors: t.cursors, known: true}
	if t.complete || t.epoch != page.Epoch {
		return at, nil
	}
	rest, err := c.server.chat.CursorsAt(ctx, c.user(), t.at.Add(-tokenOverlap))
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

// sendChats tells the client every chat it is in, in frames of bounded size.
func (c *connection) sendChats(ctx context.Context, entries []chat.Entry) error {
	const envelope = 64 // {"op":"chats","d":{"chats":[…]}} and the commas
	batch, size := []json.RawMessage{}, 0
	flush := func() error {
		err := c.sendPaced(ctx, pushFrame{Op: "chats", D: chatsData{Chats: batch}})
		batch, size = batch[:0], 0
		return err
	}
	for _, e := range entries {
		data, err := encodeEntry(e, chatsFrameBytes-envelope)
		if err != nil {
			return err
		}
		if len(batch) > 0 && size+len(data)+1+envelope > chatsFrameBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		batch, size = append(batch, data), size+len(data)+1
	}
	return flush()
}

// encodeEntry leaves out what a client can ask for where an entry alone would be
// too large for a frame: who the members are, and then the last message.
func encodeEntry(e chat.Entry, maxBytes int) (json.RawMessage, error) {
	data, err := encode(e)
	if err == nil && len(data) > maxBytes {
		e.MemberIDs = nil
		data, err = encode(e)
	}
	if err == nil && len(data) > maxBytes {
		e.LastMessage = nil
		data, err = encode(e)
	}
	return data, err
}

// replay attaches every chat: first those with a cursor, the most recently
// active first, so that a budget that runs out hits the others, then the rest.
// The outcome is fresh, lossless or reset.
func (c *connection) replay(ctx context.Context, page chat.EntryPage, at position) (outcome string, err error) {
	left := budget{events: int64(c.server.limits.ResumeEvents), bytes: resumeBytes}
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
			c.tellReset(e, reason)
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

// budget is what a resume as a whole may still replay.
type budget struct {
	events int64
	bytes  int
}

// resetReason says why a chat cannot be replayed from the client's cursor, or ""
// when it can, as far as is known without reading its events.
func (c *connection) resetReason(e chat.Entry, at position, cursor int64, epoch string, left budget) string {
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
