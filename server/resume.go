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
	resumeWait      = 30 * time.Second
)

type resumePayload struct {
	Epoch   string           `json:"epoch,omitempty"`
	Cursors map[string]int64 `json:"cursors,omitempty" doc:"the last seq held, by chat id; not with token"`
	Token   *string          `json:"token,omitempty" doc:"the last id of an event stream (SSE)"`
}

var errSecondResume = chat.Errorf(chat.BadRequest, "resume is allowed once per connection")

func (c *connection) startResume(_ context.Context, re *string, in resumePayload) error {
	if c.resuming {
		return errSecondResume
	}
	if in.Token != nil && in.Cursors != nil {
		return chat.Errorf(chat.BadRequest, "cursors or token, not both")
	}
	for _, seq := range in.Cursors {
		if seq < 0 {
			return chat.Errorf(chat.BadRequest, "a cursor must not be negative")
		}
	}
	c.resuming = true
	c.do(func(ctx context.Context) {
		c.resume(ctx, in, func(ctx context.Context, epoch string) error {
			data, err := encode(answerFrame{Re: re, Op: "ready", D: epochData{Epoch: epoch}})
			if err != nil {
				return err
			}
			return c.socket.SendPaced(ctx, "ready", data)
		})
	})
	return nil
}

// resume brings the client from its position up to date, and subscribes it to every
// chat of its user. ready sends the last frame.
func (c *connection) resume(ctx context.Context, r resumePayload, ready func(ctx context.Context, epoch string) error) {
	waiting, cancel := context.WithTimeout(ctx, resumeWait)
	leave, err := c.server.realtime.resumes.begin(waiting, c.user())
	cancel()
	if err != nil {
		c.fail(ctx, "wait for a turn to resume", err)
		return
	}
	defer leave()
	ctx, cancel = context.WithTimeout(ctx, resumeTimeout)
	defer cancel()
	turn, err := c.server.realtime.resumes.compute(ctx, c.user())
	if err != nil {
		c.fail(ctx, "wait for a turn to compute", err)
		return
	}
	defer func() { turn.leave() }()
	ctx = hub.WithPause(ctx, func(wait func() error) error { return turn.lend(ctx, wait) })
	c.resumed = true
	page, release, err := c.openAll(ctx)
	if err != nil {
		c.fail(ctx, "open chats", err)
		return
	}
	defer release()
	if c.sse != nil {
		c.sse.epoch, c.sse.seen = page.Epoch, seen{below: page.Horizon}
	}
	at, err := c.position(ctx, r, page)
	if err == nil {
		_, err = c.readBlocks(ctx)
	}
	if err == nil {
		var hidden []chat.Entry
		if page.Entries, hidden = split(page.Entries, at); len(hidden) > 0 {
			err = c.hideAll(hidden)
		}
	}
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

// openAll subscribes the node to the streams of all the user's chats, and then reads
// the entries in one snapshot. If a chat was joined in between, it tries again.
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

// split takes the hidden chats of which the client holds nothing out of the entries.
func split(entries []chat.Entry, at position) (shown, hidden []chat.Entry) {
	for _, e := range entries {
		if _, held := at.cursors[e.ID]; e.Hidden && !held {
			hidden = append(hidden, e)
		} else {
			shown = append(shown, e)
		}
	}
	return shown, hidden
}

func (c *connection) hideAll(entries []chat.Entry) error {
	for _, e := range entries {
		if err := c.hide(e); err != nil {
			return err
		}
	}
	return nil
}

// sendChats sends the client all its chats, in frames of bounded size.
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

// encodeEntry omits what a client can ask for if an entry alone would be too large
// for a frame: first who the members are, then the last message.
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
