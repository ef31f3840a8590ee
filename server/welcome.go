package server

import (
	"context"
	"errors"
	"time"

	"fechatter/chat"
	"fechatter/security"
)

type authPayload struct {
	Token string `json:"token" required:"true"`
}

func (c *connection) auth(ctx context.Context, re *string, in authPayload) error {
	if c.user() != "" {
		return c.renew(ctx, re, in.Token)
	}
	defer c.judgeAuth()()
	if _, err := c.server.admit(ctx, in.Token); err != nil {
		return err
	}
	c.answer(re, "ok", nothing{})
	c.welcome(ctx, in.Token)
	return nil
}

// judgeAuth notes that an auth is being judged, and returns what to call when it
// was: whoever failed has the rest of the time for another try.
func (c *connection) judgeAuth() (judged func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.authJudged = true
	return func() {
		c.mu.Lock()
		c.authJudged = false
		late := c.authLate
		c.mu.Unlock()
		if late {
			c.authDue()
		}
	}
}

// authDue ends a connection that has not authenticated in time. It spares one
// whose auth is still being judged.
func (c *connection) authDue() {
	c.mu.Lock()
	c.authLate = true
	due := c.session.ID == "" && !c.authJudged
	c.mu.Unlock()
	if due {
		c.socket.Close(closeUnauthenticated, "not authenticated in time")
	}
}

// welcomeByRequest authenticates by what the upgrade carried. An invalid
// credential is not refused there, for a browser could not see why.
func (c *connection) welcomeByRequest(token string) bool {
	if token == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	return c.welcome(ctx, token)
}

// welcome makes the connection the user's and sends hello. The session is read
// again once its revocation can be heard, so that none falls in between.
func (c *connection) welcome(ctx context.Context, token string) bool {
	s := c.server
	session, err := s.admit(ctx, token)
	if err != nil {
		return c.refuse(ctx, err)
	}
	if err := s.rates.floods.users.owed(session.UserID); err != nil && c.sse == nil {
		s.note(caller{session: session, at: c.from}, security.Entry{Event: security.LimitHit, Limit: limitFloods})
		return c.end(closeRateLimited, "too many connections of this user were closed")
	}
	if !c.socket.Identify(session.UserID, s.cfg.Quotas.ConnectionsPerUser) {
		c.server.note(caller{session: session, at: c.from}, security.Entry{Event: security.LimitHit, Limit: limitConnectionsPerUser})
		return c.end(closeTooMany, "too many connections of this user")
	}
	release, err := s.hub.Open(ctx, session.UserID)
	if err != nil {
		return c.refuse(ctx, err)
	}
	defer release()
	c.mu.Lock()
	c.session, c.kept = session, time.Now()
	c.willExpire(session)
	c.noStranger()
	c.mu.Unlock()
	if err := s.hub.AttachPersonal(ctx, c.socket, session.UserID, -1); err != nil {
		return c.refuse(ctx, err)
	}
	if _, err := s.chat.Authenticate(ctx, token); err != nil {
		if chat.CodeOf(err) == chat.Unauthenticated {
			return c.end(closeRevoked, "session revoked")
		}
		return c.refuse(ctx, err)
	}
	return c.hello(ctx, session)
}

// refuse deals with a welcome that failed: after an invalid credential the client
// still has its time to authenticate; an expired one, or a fault, ends the connection.
func (c *connection) refuse(ctx context.Context, err error) bool {
	switch {
	case errors.Is(err, chat.ErrSessionExpired):
		return c.end(closeExpired, "session expired")
	case chat.CodeOf(err) == chat.Unauthenticated, chat.CodeOf(err) == chat.Forbidden:
		return false
	}
	c.fail(ctx, "welcome connection", err)
	return false
}

func (c *connection) hello(ctx context.Context, session chat.Session) bool {
	epoch, now, err := c.server.chat.Epoch(ctx)
	if err != nil {
		return c.refuse(ctx, err)
	}
	c.arrive(session.UserID)
	c.send(pushFrame{Op: "hello", D: helloData{SessionID: session.ID, UserID: session.UserID, Epoch: epoch,
		HeartbeatMS: heartbeatEvery.Milliseconds(), ServerTime: now, Limits: c.server.limits}})
	c.mu.Lock()
	c.greeted = true
	c.mu.Unlock()
	if c.server.Shedding() > 0 {
		c.sendDegraded()
	}
	return true
}

// beStranger counts a connection as not authenticated, until it is welcome or
// closed; false when there are too many.
func (c *connection) beStranger(from source) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return true
	}
	c.stranger = c.server.realtime.strangers.enter(from)
	return c.stranger != nil
}

// noStranger ends that. The caller holds mu.
func (c *connection) noStranger() {
	if c.stranger != nil {
		c.stranger()
		c.stranger = nil
	}
}
