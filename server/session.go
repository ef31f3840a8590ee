package server

import (
	"context"

	"fechatter/chat"
	"fechatter/security"
)

type logInInput struct {
	Body struct {
		Username string `json:"username,omitempty" doc:"with password: the first step"`
		Password string `json:"password,omitempty"`
		Device   string `json:"device,omitempty" doc:"the session's name in the list of sessions"`

		Challenge    string `json:"challenge,omitempty" doc:"of the answer second_factor, with one of the next two: the second step"`
		TOTP         string `json:"totp,omitempty" doc:"the code that an authenticator shows"`
		RecoveryCode string `json:"recovery_code,omitempty"`
	}
}

// check refuses what is neither of the two steps.
func (in *logInInput) check() error {
	b := in.Body
	first, second := b.Username != "" || b.Password != "", b.Challenge != "" || b.TOTP != "" || b.RecoveryCode != ""
	switch {
	case first && second:
		return chat.Errorf(chat.BadRequest, "challenge excludes username and password")
	case second && b.Challenge == "":
		return chat.Errorf(chat.BadRequest, "challenge is required")
	case second && (b.TOTP == "") == (b.RecoveryCode == ""):
		return chat.Errorf(chat.BadRequest, "one of totp and recovery_code is required")
	case !second && b.Username == "":
		return chat.Errorf(chat.BadRequest, "username is required")
	case !second && b.Password == "":
		return chat.Errorf(chat.BadRequest, "password is required")
	}
	return nil
}

type logInOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		Token     string    `json:"token"`
		ExpiresAt chat.Time `json:"expires_at"`
		User      chat.User `json:"user"`
	}
}

func (s *Server) logIn(ctx context.Context, in *logInInput) (*logInOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.Body.Challenge != "" {
		return s.finishLogIn(ctx, in)
	}
	name := in.Body.Username
	by := s.guesserOf(ctx, name)
	if err := s.rates.chargeLogIn(by); err != nil {
		return nil, err
	}
	var l chat.Login
	err := s.checked(ctx, by, chat.Unauthenticated, func() (err error) {
		l, err = s.chat.LogIn(ctx, name, in.Body.Password, in.Body.Device)
		return err
	})
	if code := chat.CodeOf(err); code == chat.Unauthenticated || code == chat.Forbidden {
		s.note(callerOf(ctx), security.Entry{Event: security.LogInFailed, User: l.User.ID})
	}
	if chat.CodeOf(err) == chat.SecondFactor {
		s.note(callerOf(ctx), security.Entry{Event: security.LogInChallenged, User: l.User.ID})
	}
	if err != nil {
		return nil, err
	}
	return s.loggedIn(ctx, l), nil
}

// loggedIn answers with a new session, by which the account will know the device.
func (s *Server) loggedIn(ctx context.Context, l chat.Login) *logInOutput {
	c, name := callerOf(ctx), l.User.Username
	s.note(c, security.Entry{Event: security.LogInSucceeded, User: l.User.ID, Session: l.Session.ID, Detail: string(l.Session.Method)})
	s.guesses.befriend(guessed(name), c.from.address)
	out := &logInOutput{SetCookie: append(s.cookies(l.Token, chat.SessionTTL), s.rememberDevice(name).String())}
	out.Body.Token, out.Body.ExpiresAt, out.Body.User = l.Token, l.Session.ExpiresAt, l.User
	return out
}

// sessionView is a session, and whether it is the caller's current one.
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
	SetCookie     []string `header:"Set-Cookie"`
	ClearSiteData string   `header:"Clear-Site-Data"`
}

// clearCache has a browser drop what it cached. Not "storage", in which the page keeps the
// unsent messages and drafts of everybody who uses the browser, and clears those of whoever
// logs out after asking them; and not "cookies", which are those of all sister domains.
const clearCache = `"cache"`

func (s *Server) revokeSession(ctx context.Context, in *IDInput) (*revokedOutput, error) {
	c := callerOf(ctx)
	if err := s.chat.RevokeSession(ctx, c.userID(), in.ID); err != nil {
		return nil, err
	}
	s.noteRevoked(c, in.ID)
	out := &revokedOutput{}
	if in.ID == c.session.ID {
		out.SetCookie, out.ClearSiteData = s.cookies("", 0), clearCache
	}
	return out, nil
}

func (s *Server) logOut(ctx context.Context, _ *struct{}) (*revokedOutput, error) {
	return s.revokeSession(ctx, &IDInput{ID: callerOf(ctx).session.ID})
}
