package server

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fechatter/chat"
)

// sessionCookie carries the token of a browser. Under https it is set as hostCookie, a
// name that browsers accept from this host alone, over https: neither a sister domain nor
// whoever sits on the line can put theirs in its place.
const (
	sessionCookie = "fechatter_session"
	hostCookie    = "__Host-" + sessionCookie
)

// maxCookies is how many session cookies of one request are tried; of more, none is.
const maxCookies = 8

// authenticate finds the session of a request, by Authorization or by cookie, and
// extends it. If the header is present, nothing else counts. Errors:
// unauthenticated, and whatever keeps the store from answering.
func (s *Server) authenticate(r *http.Request) (session chat.Session, token string, err error) {
	token, err = s.credential(r)
	if err != nil {
		return chat.Session{}, "", err
	}
	session, err = s.chat.Authenticate(r.Context(), token)
	return session, token, err
}

// admit is Authenticate for what is not a request of the table. Errors: forbidden for
// whoever must set up a second factor first.
func (s *Server) admit(ctx context.Context, token string) (chat.Session, error) {
	session, err := s.chat.Authenticate(ctx, token)
	if err == nil && session.Restricted {
		err = mustSetUp()
	}
	return session, err
}

func mustSetUp() error {
	return chat.Errorf(chat.Forbidden, "this account must have a second factor: set one up first")
}

// credential returns the token of a request; of several, the first that opens a
// session. A browser sends a stale cookie of another path or domain beside the good
// one, and in either order.
func (s *Server) credential(r *http.Request) (string, error) {
	tokens, err := credentials(r)
	if err != nil {
		return "", err
	}
	if len(tokens) == 1 {
		return tokens[0], nil
	}
	for _, token := range tokens {
		if _, err := s.chat.Authenticate(r.Context(), token); chat.CodeOf(err) != chat.Unauthenticated {
			return token, nil
		}
	}
	return tokens[0], nil
}

// credentials returns at least one token of a request. It never looks at the URL.
func credentials(r *http.Request) ([]string, error) {
	if header := r.Header.Values("Authorization"); len(header) > 0 {
		scheme, token, _ := strings.Cut(header[0], " ")
		if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
			return nil, chat.Errorf(chat.Unauthenticated, "Authorization must be: Bearer TOKEN")
		}
		return []string{token}, nil
	}
	tokens := cookieTokens(r)
	switch {
	case len(tokens) == 0:
		return nil, chat.Errorf(chat.Unauthenticated, "log in first")
	case len(tokens) > maxCookies:
		return nil, chat.Errorf(chat.Unauthenticated, "the request has more than %d session cookies; delete the cookies of this site", maxCookies)
	}
	return tokens, nil
}

// cookieTokens returns what the session cookies hold. Those that only this host can have
// set come first; the others are from before it was reached by https, or were put there.
func cookieTokens(r *http.Request) (tokens []string) {
	for _, name := range []string{hostCookie, sessionCookie} {
		for _, cookie := range r.CookiesNamed(name) {
			if !slices.Contains(tokens, cookie.Value) {
				tokens = append(tokens, cookie.Value)
			}
		}
	}
	return tokens
}

// cookies hold a token for as long as its session lives, as values of Set-Cookie; an
// empty token clears it. Under https the cookie of the other name is cleared either way,
// or a browser would go on sending the token of before.
func (s *Server) cookies(token string, life time.Duration) []string {
	secure := s.origins.secure()
	c := http.Cookie{Name: sessionCookie, Value: token, Path: "/", HttpOnly: true, //nolint:gosec // a site on plain HTTP has no Secure cookies
		SameSite: http.SameSiteLaxMode, Secure: secure, MaxAge: int(life / time.Second)}
	if token == "" {
		c.MaxAge = -1
	}
	if !secure {
		return []string{c.String()}
	}
	other := c //nolint:gosec // of https, as c is now
	other.Value, other.MaxAge = "", -1
	c.Name = hostCookie
	return []string{c.String(), other.String()}
}

// caller is who makes a request, as the guard of its route found.
type caller struct {
	session chat.Session
	token   string     // by which the session was found
	cookie  string     // the same, if it came by cookie
	at      netip.Addr // where the request comes from
	from    source
	tokens  []string  // what was offered to a route for anyone, unchecked
	site    chat.Site // for passkeys
	device  string    // the cookie of an earlier log-in, to such a route
}

func (c caller) userID() string { return c.session.UserID }

type callerKey struct{}

func withCaller(ctx context.Context, c caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf returns the caller that the guard found; without one, nobody.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}
