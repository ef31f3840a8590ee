package server

import (
	"context"
	"fmt"

	"fechatter/chat"
	"fechatter/hub"
)

// maxResets bounds how often in a row one attach may be reset.
const maxResets = 5

// joined follows the personal event chat.joined: it reads the truth, and attaches.
func (c *connection) joined(ctx context.Context, chatID string, seq int64) {
	if !c.resumed {
		return
	}
	if p, ok := c.places.get(chatID); ok && p.attached {
		if p.added < seq {
			// Added again before the chat's own stream has reached the removal: it
			// will, and detached then checks again.
			c.server.hub.Expect(chatID, seq)
		}
		return
	}
	c.enter(ctx, chatID)
}

// enter attaches the connection to a chat if the database knows the user as a
// member, and tells the client so first. One that is hidden is left alone until it moves.
func (c *connection) enter(ctx context.Context, chatID string) {
	err := c.withEntry(ctx, chatID, func(e chat.Entry) error {
		if e.Hidden {
			return c.hide(e)
		}
		delete(c.hiding, chatID)
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

// hide watches a hidden chat that the client does not have, for the message that brings
// it back.
func (c *connection) hide(e chat.Entry) error {
	if c.hiding == nil {
		c.hiding = map[string]struct{}{}
	}
	c.hiding[e.ID] = struct{}{}
	return c.server.hub.Watch(c.socket, e.ID, e.LastSeq)
}

// shown follows the news that a chat is not hidden any longer, or may not be.
func (c *connection) shown(ctx context.Context, chatID string) {
	if _, ok := c.hiding[chatID]; !ok {
		return
	}
	delete(c.hiding, chatID)
	c.enter(ctx, chatID)
}

// withEntry opens the chat's stream and then reads the entry: the order that Attach
// requires. A former member is not an error: fn is not called.
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

// left follows the personal event chat.left. The truth is the chat's stream: while
// the connection is attached to it, the removal event there ends the membership. The
// seq is remembered, for the case that the stream is reset before it gets there.
func (c *connection) left(chatID string, seq int64) {
	p, ok := c.places.get(chatID)
	switch {
	case !ok || p.added > seq:
	case p.attached:
		p.left = seq
		c.places.set(p)
		c.server.hub.Expect(chatID, seq)
	default:
		c.sendLeft(chatID, seq)
	}
}

// detached follows the removal on the chat's own stream. The user may have been
// added again since, by a personal event that is already past.
func (c *connection) detached(ctx context.Context, chatID string, seq int64) {
	c.sendLeft(chatID, seq)
	c.enter(ctx, chatID)
}

// reset follows the hub's report that a subscription cannot go on.
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
		c.sendReset(e, reason)
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

// gone follows a reset of a chat that the user has left: its stream will not deliver
// the removal.
func (c *connection) gone(chatID, reason string) {
	p, _ := c.places.get(chatID)
	switch {
	case p.left > 0:
		c.sendLeft(chatID, p.left)
	case reason == hub.ReasonEpoch, reason == hub.ReasonAhead:
		c.startOver() // this history knows no removal
	} // else the personal event chat.left, which is on its way, has the seq
}

// startOver ends a connection whose client holds a state that no frame can correct:
// it reconnects and resumes.
func (c *connection) startOver() { c.socket.Close(closeTryLater, "try again later") }

// resetPersonal attaches the user's own stream again after the hub lost it, and
// checks for what it may have carried meanwhile: a revocation, new chats, or a
// removal, whose seq is lost.
func (c *connection) resetPersonal(ctx context.Context) {
	if err := c.reattachPersonal(ctx); err != nil {
		c.fail(ctx, "attach personal stream again", err)
	}
}

func (c *connection) reattachPersonal(ctx context.Context) error {
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
	if changed, err := c.readBlocks(ctx); err != nil {
		return err
	} else if changed {
		c.startOver() // the client has missed it, too
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

// replayed is what attaching a chat took.
type replayed struct {
	bytes int  // of events
	reset bool // the client must read the chat anew
}

// attach subscribes to a chat from a seq on. The events since then are replayed if
// they take at most maxBytes; 0 is no limit. The entry must have been read after the
// stream was opened, and in epoch, if that is known.
func (c *connection) attach(ctx context.Context, e chat.Entry, after int64, maxBytes int, epoch string) (did replayed, err error) {
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
				c.sendLeft(e.ID, a.Seq)
			} // else the personal event chat.left, which is on its way, has the seq
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
		c.sendReset(e, a.Reason)
		did.reset = true
	}
	return did, fmt.Errorf("attach was reset %d times", maxResets)
}

func (c *connection) sendLeft(chatID string, seq int64) {
	c.places.remove(chatID)
	c.send(pushFrame{Op: string(chat.OpChatLeft), D: chat.ChatLeft{ChatID: chatID, Seq: seq}})
}

func (c *connection) sendReset(e chat.Entry, reason string) {
	c.server.observer.Reset(reason)
	c.send(pushFrame{Op: "reset", ChatID: e.ID, Seq: &e.LastSeq, D: reasonData{Reason: reason}})
}
