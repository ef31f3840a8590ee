package server

import (
	"context"

	"fechatter/chat"
)

type logInInput struct {
	Body struct {
		Username string `json:"username" required:"true"`
		Password string `json:"password" required:"true"`
		Device   string `json:"device,omitempty" doc:"how the session is named in the list of sessions"`
	}
}

type logInOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      struct {
		Token     string    `json:"token"`
		ExpiresAt chat.Time `json:"expires_at"`
		User      chat.User `json:"user"`
	}
}

func (s *Server) logIn(ctx context.Context, in *logInInput) (*logInOutput, error) {
	if err := s.logins.charge(callerOf(ctx).address); err != nil {
		return nil, err
	}
	l, err := s.chat.LogIn(ctx, in.Body.Username, in.Body.Password, in.Body.Device)
	if err != nil {
		return nil, err
	}
	out := &logInOutput{SetCookie: s.cookie(l.Token, chat.SessionTTL).String()}
	out.Body.Token, out.Body.ExpiresAt, out.Body.User = l.Token, l.Session.ExpiresAt, l.User
	return out, nil
}

// sessionView is a session and whether it is the one that asks.
type sessionView struct {
	chat.Session
	Current bool `json:"current"`
}

type sessionsOutput struct {
	Body struct {
		Sessions []sessionView `json:"sessions"`
		Next     string        `json:"next,omitempty"`
	}
}

func (s *Server) listSessions(ctx context.Context, in *PageInput) (*sessionsOutput, error) {
	me := callerOf(ctx).session
	sessions, next, err := s.chat.Sessions(ctx, me.UserID, in.page())
	out := &sessionsOutput{}
	out.Body.Sessions, out.Body.Next = []sessionView{}, next
	for _, session := range sessions {
		out.Body.Sessions = append(out.Body.Sessions, sessionView{Session: session, Current: session.ID == me.ID})
	}
	return out, err
}

type revokedOutput struct {
	SetCookie string `header:"Set-Cookie"`
}

func (s *Server) revokeSession(ctx context.Context, in *IDInput) (*revokedOutput, error) {
	me := callerOf(ctx).session
	if err := s.chat.RevokeSession(ctx, me.UserID, in.ID); err != nil {
		return nil, err
	}
	out := &revokedOutput{}
	if in.ID == me.ID {
		out.SetCookie = s.cookie("", 0).String()
	}
	return out, nil
}

func (s *Server) logOut(ctx context.Context, _ *struct{}) (*revokedOutput, error) {
	return s.revokeSession(ctx, &IDInput{ID: callerOf(ctx).session.ID})
}
