// Package signin proves who somebody is by other means than a password: the tokens that
// applications issue for their users. It speaks their formats and checks their signatures,
// and is the only home of the libraries that do. It stores nothing and decides nothing about
// accounts: package chat does, and says what it needs as interfaces.
package signin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"fechatter/chat"
)

// Issuer is an application that issues tokens for its users.
type Issuer struct {
	Issuer, Audience string
	// Keys is the https address of a JWKS, public keys in PEM, or a secret of at least 32
	// bytes for HS256.
	Keys string
	// The claims that say who somebody is; by default sub, name and preferred_username.
	SubjectClaim, NameClaim, UsernameClaim string
	Create                                 bool // users for whom nobody is there yet
}

const (
	maxTokenBytes = 8 << 10
	maxVerified   = 10_000           // tokens that are remembered to be good
	clockLeeway   = 30 * time.Second // of issuers, for what must not lie in the future
)

// Tokens verifies tokens. Its methods may be called concurrently.
type Tokens struct {
	issuers map[string]*issuer
	now     func() time.Time

	mu       sync.Mutex
	verified map[[sha256.Size]byte]verified
}

// verified is a token whose signature was good by the keys that the issuer had then.
type verified struct {
	chat.Vouched
	issuer     *issuer
	generation int
}

// issuer is one Issuer with its keys.
type issuer struct {
	Issuer
	keys keySource
}

// keySource is where an issuer's keys come from.
type keySource interface {
	// algorithms are those that a token of the issuer may name.
	algorithms() []jose.SignatureAlgorithm
	// find returns the keys that may have signed a token; id is "" if it names none.
	// Errors: unavailable.
	find(ctx context.Context, id string, a jose.SignatureAlgorithm) (keys []any, generation int, err error)
	// generation counts how often the keys have changed; -1 while they cannot be trusted.
	generation() int
	run(ctx context.Context)
}

// NewTokens returns the verifier of the tokens of issuers. client fetches their keys; now is
// the time. The error names what cannot work.
func NewTokens(issuers []Issuer, client *http.Client, now func() time.Time) (*Tokens, error) {
	t := &Tokens{issuers: map[string]*issuer{}, now: now, verified: map[[sha256.Size]byte]verified{}}
	for _, i := range issuers {
		source, err := newKeySource(i.Keys, client, now)
		if err != nil {
			return nil, fmt.Errorf("issuer %q: %w", i.Issuer, err)
		}
		if t.issuers[i.Issuer] != nil {
			return nil, fmt.Errorf("issuer %q is there twice", i.Issuer)
		}
		t.issuers[i.Issuer] = &issuer{i, source}
	}
	return t, nil
}

// Run keeps the keys fresh until ctx ends.
func (t *Tokens) Run(ctx context.Context) error {
	var wait sync.WaitGroup
	for _, i := range t.issuers {
		wait.Go(func() { i.keys.run(ctx) })
	}
	<-ctx.Done()
	wait.Wait()
	return nil
}

// Verify implements chat.Tokens.
func (t *Tokens) Verify(ctx context.Context, token string) (chat.Vouched, error) {
	if len(token) > maxTokenBytes {
		return chat.Vouched{}, refusal(fmt.Errorf("%d bytes", len(token)), "this token is too large")
	}
	sum := sha256.Sum256([]byte(token))
	v, known := t.remembered(sum)
	if !known {
		var err error
		if v, err = t.verify(ctx, token); err != nil {
			return chat.Vouched{}, err
		}
		t.remember(sum, v)
	}
	if v.Now = chat.TimeOf(t.now()); v.Now >= v.ExpiresAt {
		return chat.Vouched{}, chat.ErrSessionExpired
	}
	return v.Vouched, nil
}

// remembered returns a token that was verified by the keys that the issuer still has.
func (t *Tokens) remembered(sum [sha256.Size]byte) (verified, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.verified[sum]
	return v, ok && v.issuer.keys.generation() == v.generation
}

func (t *Tokens) remember(sum [sha256.Size]byte, v verified) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.verified) >= maxVerified {
		clear(t.verified)
	}
	t.verified[sum] = v
}

// verify checks everything but the expiry, which is checked again each time.
func (t *Tokens) verify(ctx context.Context, token string) (verified, error) {
	parsed, err := jwt.ParseSigned(token, allAlgorithms())
	if err != nil {
		return verified{}, refusal(err, "this token is not valid")
	}
	var said jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&said); err != nil {
		return verified{}, refusal(err, "this token is not valid")
	}
	i := t.issuers[said.Issuer]
	if i == nil {
		return verified{}, refusal(fmt.Errorf("issuer %q", said.Issuer), "nobody here knows the issuer of this token")
	}
	claims, all, generation, err := i.check(ctx, parsed)
	if err != nil {
		return verified{}, err
	}
	v, err := i.vouched(claims, all, t.now())
	return verified{v, i, generation}, err
}

// check returns the claims of a token that one of the issuer's keys has signed.
func (i *issuer) check(ctx context.Context, parsed *jwt.JSONWebToken) (claims jwt.Claims, all map[string]any, generation int, err error) {
	if len(parsed.Headers) != 1 {
		return claims, nil, 0, refusal(errors.New("several signatures"), "this token is not valid")
	}
	header := parsed.Headers[0]
	a := jose.SignatureAlgorithm(header.Algorithm)
	if !contains(i.keys.algorithms(), a) {
		return claims, nil, 0, refusal(fmt.Errorf("algorithm %s", a), "this token is signed in a way that its issuer does not use")
	}
	keys, generation, err := i.keys.find(ctx, header.KeyID, a)
	if err != nil {
		return claims, nil, 0, err
	}
	for _, key := range keys {
		if err = parsed.Claims(key, &claims, &all); err == nil {
			return claims, all, generation, nil
		}
	}
	return claims, nil, 0, refusal(err, "this token is not signed by a key of its issuer")
}

// vouched judges what a signed token says.
func (i *issuer) vouched(c jwt.Claims, all map[string]any, now time.Time) (chat.Vouched, error) {
	switch {
	case c.Issuer != i.Issuer.Issuer:
		return chat.Vouched{}, refusal(nil, "nobody here knows the issuer of this token")
	case !c.Audience.Contains(i.Audience):
		return chat.Vouched{}, refusal(nil, "this token is for another audience")
	case c.Expiry == nil:
		return chat.Vouched{}, refusal(nil, "this token never expires: it needs exp")
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(clockLeeway)), c.IssuedAt != nil && c.IssuedAt.Time().After(now.Add(clockLeeway)):
		return chat.Vouched{}, refusal(nil, "this token is from the future")
	}
	v := chat.Vouched{External: chat.External{Issuer: i.Issuer.Issuer, Subject: text(all, i.SubjectClaim, "sub")},
		Name: text(all, i.NameClaim, "name"), Username: text(all, i.UsernameClaim, "preferred_username"),
		ExpiresAt: chat.TimeOf(c.Expiry.Time()), Create: i.Create}
	if c.IssuedAt != nil {
		v.IssuedAt = chat.TimeOf(c.IssuedAt.Time())
	}
	if v.Subject == "" {
		return chat.Vouched{}, refusal(nil, "this token does not say whose it is")
	}
	return v, nil
}

// text returns a claim that is text.
func text(all map[string]any, claim, byDefault string) string {
	if claim == "" {
		claim = byDefault
	}
	value, _ := all[claim].(string)
	return value
}

// refusal is the error for a token that is not believed.
func refusal(cause error, detail string) error {
	if cause == nil {
		return chat.Errorf(chat.Unauthenticated, "%s", detail)
	}
	return chat.Wrap(chat.Unauthenticated, cause, strings.TrimSpace(detail))
}
