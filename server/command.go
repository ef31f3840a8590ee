package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"fechatter/chat"
)

// command is what a client says.
type command struct {
	ID string          `json:"id"`
	Op string          `json:"op"`
	D  json.RawMessage `json:"d"`
}

const maxCommandID = 64 // characters

// nothing is an answer without content.
type nothing struct{}

// handle answers one message; false means that the connection is being closed.
func (c *connection) handle(data []byte) bool {
	var cmd command
	err := decodeStrict(data, &cmd)
	switch { // before anything is answered: what cannot be read ends the connection
	case errors.Is(err, errNotUTF8):
		return c.end(closeInvalidUTF8, "invalid UTF-8")
	case errors.Is(err, errNotJSON), errors.Is(err, errNotObject):
		return c.end(closeProtocol, "messages are JSON objects")
	}
	re := &cmd.ID
	if err != nil {
		re = idOf(data)
	} else if cmd.ID == "" || utf8.RuneCountInString(cmd.ID) > maxCommandID {
		re, err = nil, chat.Errorf(chat.BadRequest, "id must be 1 to %d characters", maxCommandID)
	}
	started := time.Now()
	if err == nil {
		err = c.contained(re, cmd)
	}
	c.server.observer.Command(knownOp(cmd.Op), string(chat.CodeOf(err)), time.Since(started))
	if err != nil {
		c.answer(re, "error", c.problem(cmd.Op, err))
	}
	return c.afterAnswer(err)
}

// problem is what the client is told of an error. Of what is the server's fault
// the log gets the cause.
func (c *connection) problem(op string, err error) Problem {
	p := problemOf(err)
	level := slog.LevelWarn
	if p.Code == chat.Internal {
		level = slog.LevelError
	}
	if p.Status >= http.StatusInternalServerError {
		c.server.log.Log(context.Background(), level, "command", "op", knownOp(op), "user", c.user(), "code", p.Code, "err", err)
	}
	return p
}

// afterAnswer ends connections that an answer alone does not stop.
func (c *connection) afterAnswer(err error) bool {
	switch {
	case c.ending:
		return false
	case errors.Is(err, chat.ErrSessionExpired):
		return c.end(closeExpired, "session expired")
	case errors.Is(err, errSecondResume):
		return c.end(closeProtocol, "second resume")
	case chat.CodeOf(err) == chat.RateLimited && c.budget.refused(time.Now(), 10*c.server.limits.SendBurst):
		return c.end(closeRateLimited, "rate limited")
	}
	return true
}

// contained is command, with a panic turned into an error.
func (c *connection) contained(re *string, cmd command) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return c.command(re, cmd)
}

// command runs one command and answers it unless it fails.
func (c *connection) command(re *string, cmd command) error {
	if cmd.Op != "auth" && c.user() == "" {
		return chat.Errorf(chat.Unauthenticated, "say auth first")
	}
	if c.server.limits.SendsPerSecond > 0 && !drawsFromSends(cmd.Op) {
		if retry, ok := c.budget.take(time.Now()); !ok {
			return &chat.Error{Code: chat.RateLimited, Detail: "too many commands", RetryAfter: retry}
		}
	}
	if user := c.user(); user != "" {
		if err := c.server.budgets.ofOp(cmd.Op).charge(user); err != nil {
			return err
		}
	}
	if len(cmd.D) == 0 {
		cmd.D = json.RawMessage("{}")
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	switch cmd.Op {
	case "auth":
		return c.authCommand(ctx, re, cmd.D)
	case "resume":
		return c.resumeCommand(re, cmd.D)
	}
	d, err := c.useCase(ctx, cmd)
	if err != nil {
		return err
	}
	c.answer(re, "ok", d)
	return nil
}

// useCase is the table of the commands that answer with ok.
func (c *connection) useCase(ctx context.Context, cmd command) (any, error) {
	switch cmd.Op {
	case "ping":
		return nothing{}, decodeStrict(cmd.D, &nothing{})
	case "message.send":
		return c.messageSend(ctx, cmd.D)
	case "message.edit":
		return c.messageEdit(ctx, cmd.D)
	case "message.delete":
		return c.messageDelete(ctx, cmd.D)
	case "reaction.add":
		return c.reaction(ctx, cmd.D, c.server.chat.React)
	case "reaction.remove":
		return c.reaction(ctx, cmd.D, c.server.chat.Unreact)
	case "cursor.set":
		return c.cursorSet(ctx, cmd.D)
	case "typing.set":
		return c.typingSet(ctx, cmd.D)
	case "presence.set":
		return c.presenceSet(ctx, cmd.D)
	case "presence.watch":
		return c.presenceWatch(ctx, cmd.D)
	case "activity":
		return c.activity(cmd.D)
	}
	return nil, chat.Errorf(chat.BadRequest, "unknown op")
}

// drawsFromSends says whether the limit told in hello is the one that counts a command.
func drawsFromSends(op string) bool {
	switch op {
	case "message.send", "message.edit", "reaction.add", "reaction.remove":
		return true
	}
	return false
}

// knownOp keeps what clients make up out of the metrics' labels.
func knownOp(op string) string {
	switch op {
	case "auth", "resume", "ping", "message.send", "message.edit", "message.delete", "reaction.add", "reaction.remove", "cursor.set",
		"typing.set", "presence.set", "presence.watch", "activity":
		return op
	}
	return "unknown"
}

var errSecondResume = chat.Errorf(chat.BadRequest, "resume comes once per connection")

func (c *connection) authCommand(ctx context.Context, re *string, d []byte) error {
	var in authPayload
	if err := decodeStrict(d, &in); err != nil {
		return err
	}
	if c.user() != "" {
		return chat.Errorf(chat.BadRequest, "this connection is authenticated already")
	}
	defer c.sayAuth()()
	if _, err := c.server.chat.Authenticate(ctx, in.Token); err != nil {
		return err
	}
	c.answer(re, "ok", nothing{})
	c.welcome(ctx, in.Token)
	return nil
}

// welcome makes the connection the user's and says hello. The session is looked
// at again once its revocation can be heard, so that none falls in between.
func (c *connection) welcome(ctx context.Context, token string) bool {
	s := c.server
	session, err := s.chat.Authenticate(ctx, token)
	if err != nil {
		return c.refuse(ctx, err)
	}
	if !c.socket.Identify(session.UserID, s.cfg.Quotas.ConnectionsPerUser) {
		return c.end(closeTooMany, "too many connections of this user")
	}
	release, err := s.hub.Open(ctx, session.UserID)
	if err != nil {
		return c.refuse(ctx, err)
	}
	defer release()
	c.mu.Lock()
	c.session, c.kept = session, time.Now()
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

// refuse deals with a welcome that failed: a credential that does not hold leaves
// the client its time to authenticate; an expired one, and a fault, end it.
func (c *connection) refuse(ctx context.Context, err error) bool {
	switch {
	case errors.Is(err, chat.ErrSessionExpired):
		return c.end(closeExpired, "session expired")
	case chat.CodeOf(err) == chat.Unauthenticated:
		return false
	}
	c.ending = true
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
		c.sayDegraded()
	}
	return true
}

func (c *connection) resumeCommand(re *string, d []byte) error {
	var in resumePayload
	if err := decodeStrict(d, &in); err != nil {
		return err
	}
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
	id := *re
	c.do(func(ctx context.Context) {
		c.resume(ctx, in, func(ctx context.Context, epoch string) error {
			data, err := encode(answerFrame{Re: &id, Op: "ready", D: epochData{Epoch: epoch}})
			if err != nil {
				return err
			}
			return c.socket.SendPaced(ctx, "ready", data)
		})
	})
	return nil
}

func (c *connection) messageSend(ctx context.Context, d []byte) (any, error) {
	var in sendPayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	c.acted()
	return c.server.send(ctx, chat.Send{ChatID: in.ChatID, SenderID: c.user(), Key: in.Key, Body: in.Body, ReplyTo: in.ReplyTo})
}

func (c *connection) messageEdit(ctx context.Context, d []byte) (any, error) {
	var in editPayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	if err := c.server.sends.charge(c.user()); err != nil {
		return nil, err
	}
	_, seq, err := c.server.chat.Edit(ctx, c.user(), in.MessageID, in.Body, in.Version)
	if err != nil {
		return nil, err
	}
	return editedAnswer{Seq: seq, Version: in.Version + 1}, nil
}

func (c *connection) messageDelete(ctx context.Context, d []byte) (any, error) {
	var in messagePayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	seq, err := c.server.chat.Delete(ctx, c.user(), in.MessageID)
	return seqAnswer{Seq: seq}, err
}

func (c *connection) reaction(ctx context.Context, d []byte,
	do func(ctx context.Context, userID, messageID, emoji string) (int64, error)) (any, error) {
	var in reactionPayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	if err := c.server.sends.charge(c.user()); err != nil {
		return nil, err
	}
	seq, err := do(ctx, c.user(), in.MessageID, in.Emoji)
	return seqAnswer{Seq: seq}, err
}

func (c *connection) cursorSet(ctx context.Context, d []byte) (any, error) {
	var in cursorPayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	return c.server.moveCursor(ctx, c.user(), in.ChatID,
		chat.CursorChange{ReadSeq: in.ReadSeq, DeliveredSeq: in.DeliveredSeq}, c.socket)
}

func (c *connection) typingSet(ctx context.Context, d []byte) (any, error) {
	var in typingPayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	c.acted()
	return nothing{}, c.server.setTyping(ctx, c.user(), in.ChatID, in.Typing)
}
