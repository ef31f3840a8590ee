package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"fechatter/chat"
)

const (
	// maxSkew is by how much the clock of a provider, or of this node, may be off: five
	// minutes, and the time that an answer takes.
	maxSkew = 5*time.Minute + 30*time.Second
	// farewellFor is how old a logout token may be, beside that.
	farewellFor = 5 * time.Minute
	// flowFor is how long somebody may be at the provider.
	flowFor = 10 * time.Minute
)

// Settings are those of one provider.
type Settings struct {
	ID, Name               string
	Issuer                 string // as its tokens have it
	ClientID, ClientSecret string // without a secret: a public client
	Scopes                 []string
	GroupsClaim            string // "": no groups are asked for
}

// Providers are identity providers (OpenID Connect), of which each node needs to know the
// settings alone: what is in between is with the browser. Its methods may be called
// concurrently. Whatever a provider or a browser sends that is not good is unauthenticated,
// with a cause for the log; a provider that cannot be asked is unavailable.
type Providers struct {
	list []*provider
	now  func() time.Time
}

// NewProviders returns the providers, which it does not ask anything yet. publicURL is
// how browsers reach this server. Requests go through client alone.
func NewProviders(settings []Settings, publicURL string, client *http.Client, now func() time.Time) *Providers {
	p := &Providers{now: now}
	for _, s := range settings {
		redirect := strings.TrimSuffix(publicURL, "/") + "/api/v1/auth/" + s.ID + "/callback"
		p.list = append(p.list, newProvider(s, redirect, client, now))
	}
	return p
}

// List returns the providers in the order of the settings.
func (p *Providers) List() []chat.Provider {
	var list []chat.Provider
	for _, of := range p.list {
		list = append(list, chat.Provider{ID: of.ID, Name: of.Name})
	}
	return list
}

func (p *Providers) find(id string) (*provider, error) {
	for _, of := range p.list {
		if of.ID == id {
			return of, nil
		}
	}
	return nil, chat.Errorf(chat.NotFound, "there is no such provider")
}

// Begin returns where to send a browser, and what it must bring back.
func (p *Providers) Begin(ctx context.Context, id string) (address string, flow chat.Flow, err error) {
	of, err := p.find(id)
	if err != nil {
		return "", chat.Flow{}, err
	}
	known, err := of.known(ctx)
	if err != nil {
		return "", chat.Flow{}, err
	}
	flow = chat.Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Until: p.now().Add(flowFor).Unix()}
	return known.oauth.AuthCodeURL(flow.State, oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)), flow, nil
}

// Finish returns who somebody is, by what a provider's redirect brought.
func (p *Providers) Finish(ctx context.Context, id string, flow chat.Flow, query url.Values) (chat.Identity, error) {
	of, err := p.find(id)
	if err != nil {
		return chat.Identity{}, err
	}
	if p.now().Unix() > flow.Until || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(flow.State)) == 0 {
		return chat.Identity{}, refused(errors.New("the state is not that of this browser, or took too long"))
	}
	if iss := query.Get("iss"); iss != "" && iss != of.Issuer {
		return chat.Identity{}, refused(fmt.Errorf("the answer is of the issuer %.200q", iss))
	}
	if code := query.Get("error"); code != "" {
		return chat.Identity{}, denied(code)
	}
	known, err := of.known(ctx)
	if err != nil {
		return chat.Identity{}, err
	}
	tokens, err := known.oauth.Exchange(of.through(ctx), query.Get("code"), oauth2.VerifierOption(flow.Verifier))
	if err != nil {
		return chat.Identity{}, of.failedTo("exchange the code", err)
	}
	return of.identify(ctx, known, tokens, flow.Nonce)
}

// denied is about a provider that says no. Its words may be shown if they are words.
func denied(code string) error {
	word := func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }
	if len(code) > 40 || strings.ContainsFunc(code, word) {
		code = "an error"
	}
	return chat.Errorf(chat.Forbidden, "the provider did not let you in: %s", code)
}

func refused(cause error) error {
	return chat.Wrap(chat.Unauthenticated, cause, "this log-in is not good, or took too long: begin again")
}

// identify checks the tokens and reads who they are about.
func (of *provider) identify(ctx context.Context, known *metadata, tokens *oauth2.Token, nonce string) (chat.Identity, error) {
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return chat.Identity{}, refused(errors.New("there is no id_token"))
	}
	token, err := known.verifier.Verify(of.through(ctx), raw)
	if err != nil {
		return chat.Identity{}, of.unverified(err)
	}
	c := claims{}
	if err := token.Claims(&c); err != nil {
		return chat.Identity{}, refused(fmt.Errorf("read claims: %w", err))
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) == 0:
		err = errors.New("the nonce is not that of this browser")
	case token.Subject == "" || len(token.Subject) > 255:
		err = errors.New("the subject is empty or too long")
	case c.AuthorizedParty != "" && c.AuthorizedParty != of.ClientID, len(token.Audience) > 1 && c.AuthorizedParty == "":
		err = fmt.Errorf("the token is for %q", c.AuthorizedParty)
	case token.AccessTokenHash != "":
		err = token.VerifyAccessToken(tokens.AccessToken)
	}
	if err == nil {
		err = timely(of.now(), token.Expiry, token.IssuedAt, time.Unix(int64(c.NotBefore), 0))
	}
	if err != nil {
		return chat.Identity{}, refused(err)
	}
	groups := c.groups(token.Claims, of.GroupsClaim)
	if !c.tellsEnough() || of.GroupsClaim != "" && groups == nil {
		if groups, err = of.askMore(ctx, known, tokens, token.Subject, &c, groups); err != nil {
			return chat.Identity{}, err
		}
	}
	return chat.Identity{Provider: of.ID, Issuer: of.Issuer, Subject: token.Subject, Session: c.Session, Email: c.Email,
		EmailVerified: bool(c.EmailVerified), Username: c.Username, Name: c.Name, Groups: groups}, nil
}

// timely judges the times of a token by a clock that may be off.
func timely(now, expires, issued, notBefore time.Time) error {
	switch {
	case now.After(expires.Add(maxSkew)):
		return fmt.Errorf("the token expired %s ago", now.Sub(expires))
	case issued.After(now.Add(maxSkew)), notBefore.After(now.Add(maxSkew)):
		return errors.New("the token is of the future")
	}
	return nil
}

// askMore completes the claims by what the provider tells about the holder of the access
// token, who must be the same person.
func (of *provider) askMore(ctx context.Context, known *metadata, tokens *oauth2.Token, subject string, c *claims, groups []string) ([]string, error) {
	if known.provider.UserInfoEndpoint() == "" {
		return groups, nil
	}
	info, err := known.provider.UserInfo(of.through(ctx), oauth2.StaticTokenSource(tokens))
	if err != nil {
		return nil, of.failedTo("ask who this is", err)
	}
	if info.Subject != subject {
		return nil, refused(errors.New("the user info is about somebody else"))
	}
	more := claims{}
	if err := info.Claims(&more); err != nil {
		return nil, refused(fmt.Errorf("read user info: %w", err))
	}
	c.complete(more)
	if groups == nil {
		groups = more.groups(info.Claims, of.GroupsClaim)
	}
	return groups, nil
}

// LoggedOut returns whose sessions a provider says are over (OpenID Connect Back-Channel
// Logout 1.0).
func (p *Providers) LoggedOut(ctx context.Context, id, token string) (chat.Farewell, error) {
	of, err := p.find(id)
	if err != nil {
		return chat.Farewell{}, err
	}
	known, err := of.known(ctx)
	if err != nil {
		return chat.Farewell{}, err
	}
	t, err := known.verifier.VerifyLogout(of.through(ctx), token)
	if err != nil {
		return chat.Farewell{}, badFarewell(of.unverified(err))
	}
	if err := timely(p.now(), t.Expiry, t.IssuedAt, t.IssuedAt); err != nil {
		return chat.Farewell{}, badFarewell(err)
	}
	if p.now().After(t.IssuedAt.Add(farewellFor + maxSkew)) {
		return chat.Farewell{}, badFarewell(errors.New("the token is old"))
	}
	return chat.Farewell{Issuer: of.Issuer, Subject: t.Subject, Session: t.SessionID, ID: t.TokenID}, nil
}

// badFarewell is what the specification wants: 400 for whatever is wrong, except for keys
// that cannot be read.
func badFarewell(err error) error {
	if chat.CodeOf(err) == chat.Unavailable {
		return err
	}
	return chat.Wrap(chat.BadRequest, err, "logout_token: this is not a logout token for this server")
}

// algorithms are the signatures that are believed: none by a shared secret, and never
// "none".
func algorithms(offered []string) []string {
	believed := []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}
	both := slices.DeleteFunc(slices.Clone(offered), func(a string) bool { return !slices.Contains(believed, a) })
	if len(both) == 0 {
		return []string{oidc.RS256}
	}
	return both
}
