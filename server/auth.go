package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"fechatter/chat"
)

// sessionCookie carries the token of a browser.
const sessionCookie = "fechatter_session"

// authenticate finds the session of a request, by Authorization or by cookie, and
// extends it. A header that is there is the only credential looked at. Errors:
// unauthenticated, and what keeps the store from answering.
func (s *Server) authenticate(r *http.Request) (chat.Session, error) {
	token, err := credential(r)
	if err != nil {
		return chat.Session{}, err
	}
	return s.chat.Authenticate(r.Context(), token)
}

// credential reads the token of a request. It never looks at the URL.
func credential(r *http.Request) (string, error) {
	if header := r.Header.Values("Authorization"); len(header) > 0 {
		scheme, token, _ := strings.Cut(header[0], " ")
		if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
			return "", chat.Errorf(chat.Unauthenticated, "Authorization must be: Bearer TOKEN")
		}
		return token, nil
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		return cookie.Value, nil
	}
	return "", chat.Errorf(chat.Unauthenticated, "log in first")
}

// cookie holds a token for as long as its session lives; an empty token clears it.
func (s *Server) cookie(token string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: sessionCookie, Value: token, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: s.origins.secure(), MaxAge: int(life / time.Second)}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// caller is who asks, as the guard of a route found out.
type caller struct {
	session chat.Session
	cookie  string // the token, when it came by cookie
	address string // as far as trusted proxies are believed
}

func (c caller) userID() string { return c.session.UserID }

type callerKey struct{}

func withCaller(ctx context.Context, c caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf gives the caller that the guard put there; without one, nobody.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}
