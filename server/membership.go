package server

import (
	"context"
	"fmt"

	"fechatter/chat"
	"fechatter/hub"
)

// maxResets bounds how often one attach may be thrown back in a row.
const maxResets = 5

// joined follows the personal event chat.joined: it looks, and attaches.
func (c *connection) joined(ctx context.Context, chatID string, seq int64) {
	if !c.resumed {
		return
	}
	if p, ok := c.places.get(chatID); ok && p.attached {
		if p.added < seq {
			// Added again while the chat's own stream has not come to the removal:
			// it will, and detached looks again.
			c.server.hub.Expect(chatID, seq)
		}
		return
	}
	c.enter(ctx, chatID)
}

// enter attaches the connection to a chat of which the database says that the
// user is a member, after telling the client so.
func (c *connection) enter(ctx context.Context, chatID string) {
	err := c.withEntry(ctx, chatID, func(e chat.Entry) error {
		if err := c.sendPaced(ctx, pushFrame{Op: string(chat.OpChatJoined), D: entryData{Chat: e}}); err != nil {
			return err
		}
		_, err := c.attach(ctx, e, e.LastSeq, 0, "")
		return err
	})
	if err != nil {
		c.fail(ctx, "attach joined chat", err)
	}
}

// withEntry opens the chat's stream and then reads the entry, in the order that
// Attach asks for. Who is no member any more is no error: fn is not called.
func (c *connection) withEntry(ctx context.Context, chatID string, fn func(chat.Entry) error) error {
	release, err := c.server.hub.Open(ctx, chatID)
	if err != nil {
		return fmt.Errorf("open stream: %w", err)
	}
	defer release()
	e, err := c.server.chat.Entry(ctx, c.user(), chatID)
	if chat.CodeOf(err) == chat.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return fn(e)
}

// left follows the personal event chat.left. The truth is the chat's stream: as
// long as the connection is attached to it, its removal event ends that.
func (c *connection) left(chatID string, seq int64) {
	p, ok := c.places.get(chatID)
	switch {
	case !ok || p.added > seq:
	case p.attached:
		if rememberLeft {
			p.left = seq
			c.places.set(p)
		}
		c.server.hub.Expect(chatID, seq)
	default:
		c.tellLeft(chatID, seq)
	}
}

// detached follows the removal on the chat's own stream. The user may have been
// added again since, with the personal event already past.
func (c *connection) detached(ctx context.Context, chatID string, seq int64) {
	c.tellLeft(chatID, seq)
	c.enter(ctx, chatID)
}

// reset follows the hub's word that a subscription cannot go on.
func (c *connection) reset(ctx context.Context, chatID, reason string) {
	p, ok := c.places.get(chatID)
	if !ok {
		return
	}
	p.attached = false
	c.places.set(p)
	member := false
	err := c.withEntry(ctx, chatID, func(e chat.Entry) error {
		member = true
		c.tellReset(e, reason)
		_, err := c.attach(ctx, e, e.LastSeq, 0, "")
		return err
	})
	switch {
	case err != nil:
		c.fail(ctx, "attach after reset", err)
	case !member:
		c.gone(chatID, reason)
	}
}

// gone follows a reset of a chat of which the user is no member any more: its
// stream will not tell the removal.
func (c *connection) gone(chatID, reason string) {
	p, _ := c.places.get(chatID)
	switch {
	case p.left > 0:
		c.tellLeft(chatID, p.left)
	case reason == hub.ReasonEpoch, reason == hub.ReasonAhead:
		c.startOver() // in this history there was no removal
	} // else the personal event chat.left, which is on its way, says the seq
}

// startOver ends a connection whose client holds what cannot be put right by any
// frame: it comes back and resumes.
func (c *connection) startOver() { c.socket.Close(closeTryLater, "try again later") }

// resetPersonal hears the user's own stream again after the hub lost it, and
// looks for what it may have said meanwhile: a revocation, new chats, or a
// removal, whose seq is lost.
func (c *connection) resetPersonal(ctx context.Context) {
	if err := c.hearAgain(ctx); err != nil {
		c.fail(ctx, "attach personal stream again", err)
	}
}

func (c *connection) hearAgain(ctx context.Context) error {
	s, user := c.server, c.user()
	release, err := s.hub.Open(ctx, user)
	if err != nil {
		return err
	}
	defer release()
	if err := s.hub.AttachPersonal(ctx, c.socket, user, -1); err != nil {
		return err
	}
	if !c.holdSession(ctx) || !c.resumed {
		return nil
	}
	ids, err := s.chat.ChatIDs(ctx, user)
	if err != nil {
		return err
	}
	if c.places.beyond(ids) {
		c.startOver()
		return nil
	}
	for _, id := range ids {
		if _, known := c.places.get(id); !known {
			c.enter(ctx, id)
		}
	}
	return nil
}

// replayed says what attaching a chat took.
type replayed struct {
	bytes int  // of events
	reset bool // the client was told to read the chat anew
}

// attach subscribes to a chat after a seq. What lies between is replayed if it is
// at most maxBytes; 0 is no limit. The entry was read after the stream was opened,
// in epoch if that is known.
func (c *connection) attach(ctx context.Context, e chat.Entry, after int64, maxBytes int, epoch string) (did replayed, err error) {
	if !attachWhereTold {
		if e, err = c.server.chat.Entry(ctx, c.user(), e.ID); err != nil {
			return did, err
		}
		after = e.LastSeq
	}
	c.places.set(place{chatID: e.ID, added: e.AddedSeq})
	for range maxResets {
		a, err := c.server.hub.Attach(ctx, c.socket,
			hub.Position{Stream: e.ID, Added: e.AddedSeq, Last: e.LastSeq, After: after, MaxBytes: maxBytes, Epoch: epoch})
		if err != nil {
			return did, err
		}
		did.bytes += a.Bytes
		switch a.Outcome {
		case hub.Subscribed:
			c.places.set(place{chatID: e.ID, added: e.AddedSeq, attached: true})
			return did, nil
		case hub.Left:
			if a.Seq > 0 {
				c.tellLeft(e.ID, a.Seq)
			} // else the personal event chat.left, which is on its way, says the seq
			return did, nil
		}
		next, err := c.server.chat.Entry(ctx, c.user(), e.ID)
		if chat.CodeOf(err) == chat.NotFound {
			c.gone(e.ID, a.Reason)
			return did, nil
		}
		if err != nil {
			return did, err
		}
		e, after, epoch = next, next.LastSeq, ""
		c.places.set(place{chatID: e.ID, added: e.AddedSeq})
		c.tellReset(e, a.Reason)
		did.reset = true
	}
	return did, fmt.Errorf("attach was reset %d times", maxResets)
}

func (c *connection) tellLeft(chatID string, seq int64) {
	c.places.remove(chatID)
	c.send(pushFrame{Op: string(chat.OpChatLeft), D: chat.ChatLeft{ChatID: chatID, Seq: seq}})
}

func (c *connection) tellReset(e chat.Entry, reason string) {
	c.server.observer.Reset(reason)
	c.send(pushFrame{Op: "reset", ChatID: e.ID, Seq: &e.LastSeq, D: reasonData{Reason: reason}})
}
