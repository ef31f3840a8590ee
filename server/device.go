package server

import (
	"context"
	"net/http"
	"time"

	"fechatter/chat"
)

// deviceCookie says that somebody has logged in with this browser before. It opens
// nothing.
const deviceCookie = "fechatter_device"

// guesser is whoever tries a password of an account: key counts their failures.
type guesser struct {
	key   string
	known bool // the account knows the device
	from  source
}

// guesserOf finds out as whom a log-in without a session of its own is to be counted.
// A device that the account knows has a count of its own, and needs no place in the
// limit of its address: by its session, by the cookie of an earlier log-in, or, without
// the latter privilege, by its address.
func (s *Server) guesserOf(ctx context.Context, username string) guesser {
	c, account := callerOf(ctx), guessed(username)
	if id := s.sessionOf(ctx, c.tokens, username); id != "" {
		return guesser{"session " + id, true, c.from}
	}
	switch {
	case s.chat.KnowsDevice(username, c.device):
		return guesser{"device " + account, true, c.from}
	case s.guesses.isFriend(account, c.from.address):
		return guesser{c.from.address + " " + account, false, c.from}
	}
	return guesser{account, false, c.from}
}

// sessionOf returns the id of the first session of a user among tokens, or "".
func (s *Server) sessionOf(ctx context.Context, tokens []string, username string) string {
	for _, token := range tokens {
		session, err := s.chat.Authenticate(ctx, token)
		if err != nil {
			continue
		}
		if u, err := s.chat.User(ctx, session.UserID); err == nil && u.Username == username {
			return session.ID
		}
	}
	return ""
}

// rememberDevice returns the cookie by which the account will know the device.
func (s *Server) rememberDevice(username string) *http.Cookie {
	return &http.Cookie{Name: deviceCookie, Value: s.chat.DeviceToken(username), Path: v1 + "/sessions", HttpOnly: true, //nolint:gosec // a site on plain HTTP has no Secure cookies
		SameSite: http.SameSiteStrictMode, Secure: s.origins.secure(), MaxAge: int(chat.DeviceTTL / time.Second)}
}

func deviceOf(r *http.Request) string {
	c, err := r.Cookie(deviceCookie)
	if err != nil {
		return ""
	}
	return c.Value
}
