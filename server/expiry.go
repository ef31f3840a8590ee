package server

import (
	"context"
	"errors"
	"time"

	"fechatter/chat"
)

// willExpire has the connection end when its session does that no use extends: at the end of
// a key, or of a token unless the client has sent a newer one. The caller holds mu.
func (c *connection) willExpire(session chat.Session) {
	if c.expiry != nil {
		c.expiry.Stop()
		c.expiry = nil
	}
	if session.EndsAt > 0 && !c.closed {
		left := session.EndsAt.Time().Sub(session.LastUsedAt.Time()) // on the clock that judges it
		c.expiry = time.AfterFunc(max(left, 0), func() { c.expired(session) })
	}
}

func (c *connection) expired(session chat.Session) {
	c.mu.Lock()
	over := c.session.EndsAt == session.EndsAt
	c.mu.Unlock()
	if over {
		c.end(closeExpired, "session expired")
	}
}

// renew follows an auth on a connection that is authenticated: a newer token of the same user
// takes the place of the one that will expire.
func (c *connection) renew(ctx context.Context, re *string, token string) error {
	old := c.caller().session
	if old.External == (chat.External{}) {
		return chat.Errorf(chat.BadRequest, "this connection is already authenticated")
	}
	session, err := c.server.chat.Authenticate(ctx, token)
	if errors.Is(err, chat.ErrSessionExpired) { // the one before is still good
		return chat.Errorf(chat.Unauthenticated, "this token has expired")
	}
	if err != nil {
		return err
	}
	if session.External != old.External {
		return chat.Errorf(chat.Forbidden, "this token is not of the user whose connection this is")
	}
	c.mu.Lock()
	if session.EndsAt > c.session.EndsAt {
		c.session = session
		c.willExpire(session)
	}
	c.mu.Unlock()
	c.answer(re, "ok", nothing{})
	return nil
}
