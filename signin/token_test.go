package signin

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"fechatter/chat"
)

const (
	app    = "https://app.example"
	forUs  = "chat"
	secret = "0123456789abcdef0123456789abcdef"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type body map[string]any

// good is what a token says that is believed.
func (c *clock) good(more body) body {
	all := body{"iss": app, "aud": forUs, "sub": "42", "iat": c.now().Unix(), "exp": c.now().Add(time.Hour).Unix()}
	for name, value := range more {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

func sign(t testing.TB, a jose.SignatureAlgorithm, key any, id string, c body) string {
	t.Helper()
	o := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		o = o.WithHeader("kid", id)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: a, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(map[string]any(c)).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func publicPEM(t testing.TB, keys ...crypto.PublicKey) string {
	t.Helper()
	var b bytes.Buffer
	for _, k := range keys {
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		if err := pem.Encode(&b, &pem.Block{Type: "PUBLIC KEY", Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func verifier(t testing.TB, c *clock, keys string) *Tokens {
	t.Helper()
	v, err := NewTokens([]Issuer{{Issuer: app, Audience: forUs, Keys: keys, Create: true}}, http.DefaultClient, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func refuses(t *testing.T, what string, v *Tokens, token string) {
	t.Helper()
	if got, err := v.Verify(t.Context(), token); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("%s: %+v, %v", what, got, err)
	}
}

// TestTokens: every algorithm of the contract is believed, by the key of its kind alone.
func TestTokens(t *testing.T) {
	c := newClock()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec := ecKey(t)
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := verifier(t, c, publicPEM(t, rsaKey.Public(), ec.Public(), edPublic))
	hs := verifier(t, c, secret)
	for a, key := range map[jose.SignatureAlgorithm]any{jose.RS256: rsaKey, jose.PS256: rsaKey, jose.ES256: ec, jose.EdDSA: ed} {
		token := sign(t, a, key, "", c.good(body{"name": "Grace", "preferred_username": "grace"}))
		for range 2 { // checked, then remembered
			v, err := public.Verify(t.Context(), token)
			if err != nil || v.External != (chat.External{Issuer: app, Subject: "42"}) || v.Name != "Grace" || v.Username != "grace" || !v.Create ||
				v.ExpiresAt != chat.TimeOf(c.now().Add(time.Hour)) || v.IssuedAt != chat.TimeOf(c.now()) {
				t.Errorf("%s: %+v, %v", a, v, err)
			}
		}
		refuses(t, string(a)+" where there is a secret", hs, token)
	}
	token := sign(t, jose.HS256, []byte(secret), "", c.good(nil))
	if _, err := hs.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	refuses(t, "HS256 where there are public keys", public, token)
	refuses(t, "another secret", hs, sign(t, jose.HS256, []byte(secret+"!"), "", c.good(nil)))
	refuses(t, "another key", public, sign(t, jose.ES256, ecKey(t), "", c.good(nil)))
	// The classic: the public key, which anybody has, as the secret of HS256.
	refuses(t, "HS256 with a public key", public, sign(t, jose.HS256, []byte(publicPEM(t, rsaKey.Public(), ec.Public(), edPublic)), "", c.good(nil)))
	refuses(t, "RS512", public, sign(t, jose.RS512, rsaKey, "", c.good(nil)))
}

func TestFalseTokens(t *testing.T) {
	c := newClock()
	k := ecKey(t)
	v := verifier(t, c, publicPEM(t, k.Public()))
	part := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	good := sign(t, jose.ES256, k, "", c.good(nil))
	parts := strings.Split(good, ".")
	for what, token := range map[string]string{
		"none":              part(body{"alg": "none"}) + "." + part(c.good(nil)) + ".",
		"none with a tail":  part(body{"alg": "none"}) + "." + part(c.good(nil)) + "." + parts[2],
		"None":              part(body{"alg": "None"}) + "." + part(c.good(nil)) + ".",
		"other claims":      parts[0] + "." + part(c.good(body{"sub": "1"})) + "." + parts[2],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"two parts":         parts[0] + "." + parts[1],
		"nothing":           "..",
		"not base64":        "a.b.c",
		"a megabyte":        sign(t, jose.ES256, k, "", c.good(body{"x": strings.Repeat("x", 1<<20)})),
		"another issuer":    sign(t, jose.ES256, k, "", c.good(body{"iss": "https://evil.example"})),
		"no issuer":         sign(t, jose.ES256, k, "", c.good(body{"iss": nil})),
		"another audience":  sign(t, jose.ES256, k, "", c.good(body{"aud": "mail"})),
		"no audience":       sign(t, jose.ES256, k, "", c.good(body{"aud": nil})),
		"no expiry":         sign(t, jose.ES256, k, "", c.good(body{"exp": nil})),
		"from the future":   sign(t, jose.ES256, k, "", c.good(body{"iat": c.now().Add(time.Hour).Unix()})),
		"not before":        sign(t, jose.ES256, k, "", c.good(body{"nbf": c.now().Add(time.Hour).Unix()})),
		"nobody's":          sign(t, jose.ES256, k, "", c.good(body{"sub": nil})),
		"of a number":       sign(t, jose.ES256, k, "", c.good(body{"sub": 42})),
		"expiry is no time": sign(t, jose.ES256, k, "", c.good(body{"exp": "soon"})),
	} {
		refuses(t, what, v, token)
	}
	if _, err := v.Verify(t.Context(), sign(t, jose.ES256, k, "", c.good(body{"exp": c.now().Unix()}))); !errors.Is(err, chat.ErrSessionExpired) {
		t.Errorf("expired: %v", err)
	}
	if _, err := v.Verify(t.Context(), sign(t, jose.ES256, k, "", c.good(body{"aud": []string{"mail", forUs}, "iat": nil}))); err != nil {
		t.Errorf("one of two audiences: %v", err)
	}
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	c.add(time.Hour)
	if _, err := v.Verify(t.Context(), good); !errors.Is(err, chat.ErrSessionExpired) {
		t.Errorf("remembered, and expired since: %v", err)
	}
}

func TestIssuers(t *testing.T) {
	c := newClock()
	one, two := ecKey(t), ecKey(t)
	v, err := NewTokens([]Issuer{
		{Issuer: app, Audience: forUs, Keys: publicPEM(t, one.Public())},
		{Issuer: "two", Audience: "us", Keys: publicPEM(t, two.Public()), SubjectClaim: "uid", NameClaim: "full", UsernameClaim: "login"},
	}, http.DefaultClient, c.now)
	if err != nil {
		t.Fatal(err)
	}
	said := c.good(body{"iss": "two", "aud": "us", "uid": "7", "full": "Seven", "login": "seven", "name": "no", "sub": "no"})
	got, err := v.Verify(t.Context(), sign(t, jose.ES256, two, "", said))
	if err != nil || got.External != (chat.External{Issuer: "two", Subject: "7"}) || got.Name != "Seven" || got.Username != "seven" || got.Create {
		t.Errorf("%+v, %v", got, err)
	}
	refuses(t, "the key of another issuer", v, sign(t, jose.ES256, one, "", said))
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is the point
	if err != nil {
		t.Fatal(err)
	}
	for what, keys := range map[string]string{
		"a short secret": "secret", "a weak key": publicPEM(t, weak.Public()), "no key": "-----BEGIN PUBLIC KEY-----",
		"a private key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})),
	} {
		if _, err := NewTokens([]Issuer{{Issuer: app, Audience: forUs, Keys: keys}}, http.DefaultClient, c.now); err == nil {
			t.Errorf("%s is taken for keys", what)
		}
	}
	if _, err := NewTokens([]Issuer{{Issuer: app, Keys: secret}, {Issuer: app, Keys: secret}}, http.DefaultClient, c.now); err == nil {
		t.Error("an issuer may be there twice")
	}
}

// keyServer serves a JWKS that tests change.
type keyServer struct {
	mu    sync.Mutex
	set   any
	asked int
	down  bool
	*httptest.Server
}

func serveKeys(t *testing.T, set any) *keyServer {
	s := &keyServer{set: set}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		if s.down {
			http.Error(w, "down", http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(s.set)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func jwks(keys ...jose.JSONWebKey) jose.JSONWebKeySet { return jose.JSONWebKeySet{Keys: keys} }

func public(k *ecdsa.PrivateKey, id string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"}
}

// fetchNow does what run does when it is time.
func (t *Tokens) fetchNow(ctx context.Context) { t.issuers[app].keys.(*fetched).fetch(ctx) }

// TestRotation: a key that is added is believed, one that is withdrawn is not, and what was
// remembered of its tokens is forgotten.
func TestRotation(t *testing.T) {
	c := newClock()
	one, two := ecKey(t), ecKey(t)
	s := serveKeys(t, jwks(public(one, "one")))
	v := verifier(t, c, s.URL)
	v.fetchNow(t.Context())
	first := sign(t, jose.ES256, one, "one", c.good(nil))
	if _, err := v.Verify(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), sign(t, jose.ES256, one, "", c.good(nil))); err != nil {
		t.Errorf("without a kid, where there is one key: %v", err)
	}
	refuses(t, "a key that is not there", v, sign(t, jose.ES256, two, "two", c.good(nil)))
	refuses(t, "under the id of another", v, sign(t, jose.ES256, two, "one", c.good(nil)))
	s.change(func() { s.set = jwks(public(one, "one"), public(two, "two")) })
	v.fetchNow(t.Context())
	for id, k := range map[string]*ecdsa.PrivateKey{"one": one, "two": two} {
		if _, err := v.Verify(t.Context(), sign(t, jose.ES256, k, id, c.good(nil))); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	refuses(t, "without a kid, where there are two", v, sign(t, jose.ES256, one, "", c.good(body{"x": 1})))
	s.change(func() { s.set = jwks(public(two, "two")) })
	v.fetchNow(t.Context())
	refuses(t, "a key that was withdrawn", v, first)
}

// TestKeysAway: known keys go on for an hour, and then nobody is believed.
func TestKeysAway(t *testing.T) {
	c := newClock()
	k := ecKey(t)
	s := serveKeys(t, jwks(public(k, "one")))
	v := verifier(t, c, s.URL)
	v.fetchNow(t.Context())
	s.change(func() { s.down = true })
	c.add(59 * time.Minute)
	v.fetchNow(t.Context())
	token := sign(t, jose.ES256, k, "one", c.good(nil))
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("after 59 minutes: %v", err)
	}
	c.add(time.Minute)
	v.fetchNow(t.Context())
	if _, err := v.Verify(t.Context(), token); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("after an hour: %v", err)
	}
	s.change(func() { s.down = false })
	v.fetchNow(t.Context())
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("once they are back: %v", err)
	}
}

// TestUnknownKeyIsFetchedFor: a token that names a new key waits for it, and whoever makes
// such names up does not have keys fetched without end.
func TestUnknownKeyIsFetchedFor(t *testing.T) {
	c := newClock()
	one, two := ecKey(t), ecKey(t)
	s := serveKeys(t, jwks(public(one, "one")))
	v := verifier(t, c, s.URL)
	v.fetchNow(t.Context())
	f := v.issuers[app].keys.(*fetched)
	for range 50 {
		refuses(t, "a name that is made up", v, sign(t, jose.ES256, two, "made up", c.good(nil)))
		select {
		case <-f.wake:
			t.Fatal("a name that is made up asks for a fetch")
		default:
		}
	}
	s.change(func() {
		if s.asked != 1 {
			t.Errorf("keys were fetched %d times", s.asked)
		}
		s.set = jwks(public(one, "one"), public(two, "two"))
	})
	c.add(fetchAgain)
	token := sign(t, jose.ES256, two, "two", c.good(nil))
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		select {
		case <-f.wake:
			f.fetch(ctx)
		case <-ctx.Done():
			t.Error("nobody asked for the key")
		}
	})
	if _, err := v.Verify(ctx, token); err != nil {
		t.Errorf("a new key: %v", err)
	}
	cancel()
	wait.Wait()
}

// TestRunFetches: keys are there as soon as the node runs.
func TestRunFetches(t *testing.T) {
	c := newClock()
	k := ecKey(t)
	s := serveKeys(t, jwks(public(k, "one")))
	v := verifier(t, c, s.URL)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	if _, err := v.Verify(t.Context(), sign(t, jose.ES256, k, "one", c.good(nil))); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestKeySets: what cannot be used is passed over, secrets above all.
func TestKeySets(t *testing.T) {
	k := ecKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := jwks(public(k, "one"), jose.JSONWebKey{Key: []byte(secret), KeyID: "secret"}, jose.JSONWebKey{Key: p384.Public(), KeyID: "other curve"},
		jose.JSONWebKey{Key: k, KeyID: "private"}, jose.JSONWebKey{Key: k.Public(), KeyID: "enc", Use: "enc"})
	data, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := parseJWKS(append(data[:len(data)-2], []byte(`,{"kty":"OKP?"},7]}`)...))
	if err != nil || len(keys) != 1 || keys[0].KeyID != "one" {
		t.Errorf("keys %v, %v", keys, err)
	}
	for _, none := range []string{"", "[]", "{}", `{"keys":[]}`, `{"keys":"x"}`, `<html>`} {
		if keys, err := parseJWKS([]byte(none)); err == nil {
			t.Errorf("%q has the keys %v", none, keys)
		}
	}
}

func BenchmarkRememberedToken(b *testing.B) {
	c := newClock()
	k := ecKey(b)
	v := verifier(b, c, publicPEM(b, k.Public()))
	token := sign(b, jose.ES256, k, "", c.good(nil))
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
