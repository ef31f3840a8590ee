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

// command is what a client sends.
type command struct {
	ID string          `json:"id"`
	Op string          `json:"op"`
	D  json.RawMessage `json:"d"`
}

const maxCommandID = 64 // characters

// nothing is an answer without content.
type nothing struct{}

// handle answers one message.
func (c *connection) handle(data []byte) {
	var cmd command
	err := c.server.envelope.decodeStrict(data, &cmd)
	switch { // before anything is answered: what cannot be read ends the connection
	case errors.Is(err, errNotUTF8):
		c.end(closeInvalidUTF8, "invalid UTF-8")
		return
	case errors.Is(err, errNotJSON), errors.Is(err, errNotObject):
		c.end(closeProtocol, "messages must be JSON objects")
		return
	}
	re := &cmd.ID
	if err != nil {
		re = idOf(data)
	} else if cmd.ID == "" || utf8.RuneCountInString(cmd.ID) > maxCommandID {
		re, err = nil, chat.Errorf(chat.BadRequest, "id must be 1 to %d characters", maxCommandID)
	}
	row := c.server.commands.of(cmd.Op)
	if row.budget != ofMessages {
		c.sends.flushed() // what was sent before takes effect before this
	}
	started := time.Now()
	if err == nil {
		err = c.contained(row, re, cmd.D)
	}
	if _, later := errors.AsType[*underWay](err); later {
		return
	}
	c.server.observer.Command(row.op, string(chat.CodeOf(err)), time.Since(started))
	if err != nil {
		c.answer(re, "error", c.problem(row.op, err))
	}
	c.afterAnswer(err)
}

// contained is command, with a panic turned into an error.
func (c *connection) contained(row commandRow, re *string, d []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return c.command(row, re, d)
}

// command runs one command, which answers unless it fails.
func (c *connection) command(row commandRow, re *string, d []byte) error {
	session := c.caller().session
	user := session.UserID
	if user == "" && row.op != "auth" {
		return chat.Errorf(chat.Unauthenticated, "authenticate first")
	}
	if err := session.Admit(row.scope); err != nil {
		return err
	}
	if c.server.limits.SendsPerSecond > 0 && row.budget != ofMessages {
		if err := c.allowance.command(time.Now(), commandRate(c.server.limits)); err != nil {
			return err
		}
	}
	if user != "" {
		if err := c.server.rates.of(row.budget).charge(user); err != nil {
			return err
		}
	}
	if len(d) == 0 {
		d = []byte("{}")
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	return row.handler.run(ctx, c, re, d)
}

// problem is what the client learns of an error. The log gets the cause of what
// is the server's fault.
func (c *connection) problem(op string, err error) Problem {
	c.server.noteRefusal(c.caller(), "", err)
	p := problemOf(err)
	level := slog.LevelWarn
	if p.Code == chat.Internal {
		level = slog.LevelError
	}
	if p.Status >= http.StatusInternalServerError {
		c.server.log.Log(context.Background(), level, "command", "op", op, "user", c.user(), "code", p.Code, "error", err)
	}
	return p
}

// afterAnswer ends connections that an answer alone does not stop.
func (c *connection) afterAnswer(err error) {
	switch {
	case errors.Is(err, chat.ErrSessionExpired):
		c.end(closeExpired, "session expired")
	case errors.Is(err, errSecondResume):
		c.end(closeProtocol, "second resume")
	case chat.CodeOf(err) == chat.RateLimited && c.allowance.refused(time.Now(), 10*c.server.limits.SendBurst):
		c.end(closeRateLimited, "rate limited")
	}
}

func (c *connection) ping(context.Context, nothing) (nothing, error) { return nothing{}, nil }
