package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"fechatter/chat"
)

// liar is a provider that does what a test wants: it speaks the protocol, and then says
// one thing that is not true.
type liar struct {
	*httptest.Server

	t  testing.TB
	mu sync.Mutex
	// What it says.
	keys      map[string]*ecdsa.PrivateKey // that it publishes
	kid       string                       // of the key that it signs with
	signs     *ecdsa.PrivateKey
	algorithm jose.SignatureAlgorithm
	secret    []byte // signs with this instead
	unsigned  bool
	issuer    string
	claims    map[string]any // replace those of a good token; nil removes one
	info      map[string]any // of the user info
	status    int            // of everything; 0: as it should be
	tokens    int            // status of the token endpoint
	noToken   bool
	// What it was asked.
	challenge, nonce, verifier, auth string
	asked                            map[string]int
}

const client, clientSecret = "fechatter", "a secret of the client that is long enough for HS256"

func newLiar(t testing.TB) *liar {
	l := &liar{t: t, keys: map[string]*ecdsa.PrivateKey{}, algorithm: jose.ES256, claims: map[string]any{}, info: map[string]any{}, asked: map[string]int{}}
	l.rotate("one")
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		l.say(w, map[string]any{"issuer": l.issuer, "authorization_endpoint": l.URL + "/authorize", "token_endpoint": l.URL + "/token",
			"jwks_uri": l.URL + "/keys", "userinfo_endpoint": l.URL + "/info", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		set := jose.JSONWebKeySet{}
		for kid, key := range l.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"})
		}
		l.say(w, set)
	})
	mux.HandleFunc("/token", l.token)
	mux.HandleFunc("/info", func(w http.ResponseWriter, _ *http.Request) { l.say(w, l.info) })
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.asked[r.URL.Path]++
		if l.status != 0 {
			w.WriteHeader(l.status)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(l.Close)
	l.issuer = l.URL
	return l
}

func (l *liar) say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		l.t.Error(err)
	}
}

// rotate publishes another key under a name, and signs with it.
func (l *liar) rotate(kid string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	l.kid, l.signs, l.keys[kid] = kid, key, key
}

func (l *liar) token(w http.ResponseWriter, r *http.Request) {
	if l.tokens != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(l.tokens)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	l.verifier, l.auth = r.PostFormValue("code_verifier"), r.Header.Get("Authorization")
	answer := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60}
	if !l.noToken {
		answer["id_token"] = l.sign(map[string]any{"iss": l.URL, "sub": "ann-1", "aud": client, "nonce": l.nonce, "sid": "session-1",
			"exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
			"email": "ann@example.org", "email_verified": true, "name": "Ann", "preferred_username": "ann", "groups": []string{"staff"}})
	}
	l.say(w, answer)
}

// sign returns a token of the claims, as far as the test lets it.
func (l *liar) sign(claims map[string]any) string {
	maps.Copy(claims, l.claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		l.t.Fatal(err)
	}
	if l.unsigned {
		b64 := base64.RawURLEncoding
		return b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b64.EncodeToString(payload) + "."
	}
	key := jose.SigningKey{Algorithm: l.algorithm, Key: jose.JSONWebKey{Key: l.signs, KeyID: l.kid}}
	if l.secret != nil {
		key = jose.SigningKey{Algorithm: jose.HS256, Key: l.secret}
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		l.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		l.t.Fatal(err)
	}
	return text
}

// times returns how often a path was asked for.
func (l *liar) times(path string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[path]
}

// change lets a test change what the provider says.
func (l *liar) change(f func(*liar)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

// of returns the provider as this server knows it, by a clock that may be off.
func (l *liar) of(off time.Duration) *Providers {
	return NewProviders([]Settings{{ID: "id", Name: "The Company", Issuer: l.URL, ClientID: client, ClientSecret: clientSecret, GroupsClaim: "groups"}},
		"https://chat.example", http.DefaultClient, func() time.Time { return time.Now().Add(off) })
}

// begin sends a browser away, and has the provider remember why.
func (l *liar) begin(t *testing.T, p *Providers) chat.Flow {
	t.Helper()
	address, flow, err := p.Begin(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	l.change(func(l *liar) { l.challenge, l.nonce = q.Get("code_challenge"), q.Get("nonce") })
	for name, want := range map[string]string{"client_id": client, "response_type": "code", "state": flow.State, "nonce": flow.Nonce,
		"code_challenge_method": "S256", "redirect_uri": "https://chat.example/api/v1/auth/id/callback", "scope": "openid profile email"} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	return flow
}

func (l *liar) logIn(t *testing.T, p *Providers) (chat.Identity, error) {
	t.Helper()
	flow := l.begin(t, p)
	return p.Finish(t.Context(), "id", flow, url.Values{"state": {flow.State}, "code": {"a code"}})
}

func TestProvider(t *testing.T) {
	l := newLiar(t)
	p := l.of(0)
	id, err := l.logIn(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if id.Provider != "id" || id.Issuer != l.URL || id.Subject != "ann-1" || id.Session != "session-1" || id.Email != "ann@example.org" ||
		!id.EmailVerified || id.Username != "ann" || id.Name != "Ann" || len(id.Groups) != 1 || id.Groups[0] != "staff" {
		t.Errorf("the identity is %+v", id)
	}
	l.change(func(l *liar) {
		sum := sha256.Sum256([]byte(l.verifier))
		if l.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || len(l.verifier) < 43 {
			t.Errorf("the verifier %q is not that of the challenge %q", l.verifier, l.challenge)
		}
		if !strings.HasPrefix(l.auth, "Basic ") {
			t.Errorf("the client authenticates by %q", l.auth)
		}
	})
	if list := p.List(); len(list) != 1 || list[0] != (chat.Provider{ID: "id", Name: "The Company"}) {
		t.Errorf("the list is %v", list)
	}
	if _, err := l.logIn(t, p); err != nil || l.times("/.well-known/openid-configuration") != 1 || l.times("/keys") != 1 {
		t.Errorf("a second log-in: %v, and keys were read %d times", err, l.times("/keys"))
	}
	if _, _, err := p.Begin(t.Context(), "other"); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("another provider: %v", err)
	}
}

// Each lie is refused, and nothing but the lie makes the difference.
func TestLyingProviders(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, lie := range map[string]func(*liar){
		"issuer":             func(l *liar) { l.claims["iss"] = "https://evil.example" },
		"no issuer":          func(l *liar) { l.claims["iss"] = nil },
		"audience":           func(l *liar) { l.claims["aud"] = "another client" },
		"audiences":          func(l *liar) { l.claims["aud"] = []string{client, "another client"} },
		"party":              func(l *liar) { l.claims["azp"] = "another client" },
		"nonce":              func(l *liar) { l.claims["nonce"] = "another nonce" },
		"no nonce":           func(l *liar) { l.claims["nonce"] = nil },
		"subject":            func(l *liar) { l.claims["sub"] = "" },
		"long subject":       func(l *liar) { l.claims["sub"] = strings.Repeat("x", 256) },
		"expired":            func(l *liar) { l.claims["exp"] = time.Now().Add(-10 * time.Minute).Unix() },
		"no expiry":          func(l *liar) { l.claims["exp"] = nil },
		"of the future":      func(l *liar) { l.claims["iat"] = time.Now().Add(10 * time.Minute).Unix() },
		"not before":         func(l *liar) { l.claims["nbf"] = time.Now().Add(10 * time.Minute).Unix() },
		"access token":       func(l *liar) { l.claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" },
		"secret as key":      func(l *liar) { l.secret = []byte(clientSecret) },
		"public key as key":  func(l *liar) { l.secret = publicBytes(l.signs) },
		"unsigned":           func(l *liar) { l.unsigned = true },
		"another key":        func(l *liar) { l.signs = key },
		"no key":             func(l *liar) { l.kid, l.signs = "unknown", key },
		"no token":           func(l *liar) { l.noToken = true },
		"somebody else":      func(l *liar) { l.claims["email"] = nil; l.info = map[string]any{"sub": "eve"} },
		"nobody":             func(l *liar) { l.claims["email"] = nil },
		"the code was used":  func(l *liar) { l.tokens = http.StatusBadRequest },
		"the client is gone": func(l *liar) { l.tokens = http.StatusUnauthorized },
	} {
		l := newLiar(t)
		l.change(lie)
		if id, err := l.logIn(t, l.of(0)); chat.CodeOf(err) != chat.Unauthenticated {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

func publicBytes(key *ecdsa.PrivateKey) []byte {
	data, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return data
}

// A browser that brings back something else than it was given is refused.
func TestAlteredReturns(t *testing.T) {
	l := newLiar(t)
	p := l.of(0)
	for name, c := range map[string]struct {
		query func(chat.Flow) url.Values
		code  chat.Code
	}{
		"good":     {func(f chat.Flow) url.Values { return url.Values{"state": {f.State}, "code": {"x"}} }, ""},
		"issuer":   {func(f chat.Flow) url.Values { return url.Values{"state": {f.State}, "code": {"x"}, "iss": {l.URL}} }, ""},
		"no state": {func(chat.Flow) url.Values { return url.Values{"code": {"x"}} }, chat.Unauthenticated},
		"state":    {func(chat.Flow) url.Values { return url.Values{"state": {"another"}, "code": {"x"}} }, chat.Unauthenticated},
		"mix-up": {func(f chat.Flow) url.Values {
			return url.Values{"state": {f.State}, "code": {"x"}, "iss": {"https://evil.example"}}
		}, chat.Unauthenticated},
		"denied":     {func(f chat.Flow) url.Values { return url.Values{"state": {f.State}, "error": {"access_denied"}} }, chat.Forbidden},
		"odd denial": {func(f chat.Flow) url.Values { return url.Values{"state": {f.State}, "error": {"<script>"}} }, chat.Forbidden},
	} {
		flow := l.begin(t, p)
		_, err := p.Finish(t.Context(), "id", flow, c.query(flow))
		if chat.CodeOf(err) != c.code || err != nil && strings.Contains(err.Error(), "<script>") {
			t.Errorf("%s: %v", name, err)
		}
	}
	flow := l.begin(t, p)
	flow.Until = time.Now().Add(-time.Second).Unix()
	if _, err := p.Finish(t.Context(), "id", flow, url.Values{"state": {flow.State}, "code": {"x"}}); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("after too long: %v", err)
	}
}

// Clocks may be five minutes apart, in either direction, and not ten.
func TestClocksThatAreOff(t *testing.T) {
	l := newLiar(t)
	for off, want := range map[time.Duration]chat.Code{-5 * time.Minute: "", 5 * time.Minute: "", -10 * time.Minute: chat.Unauthenticated, 10 * time.Minute: chat.Unauthenticated} {
		if _, err := l.logIn(t, l.of(off)); chat.CodeOf(err) != want {
			t.Errorf("a clock that is %s off: %v", off, err)
		}
	}
}

// A new key is read when a token names it; one that is withdrawn is not believed for long;
// and tokens of unknown keys do not make this server ask all the time.
func TestKeysRotate(t *testing.T) {
	l := newLiar(t)
	now := time.Now()
	p := l.of(0)
	p.now = func() time.Time { return now }
	p.list[0].now = p.now
	if _, err := l.logIn(t, p); err != nil {
		t.Fatal(err)
	}
	old := l.signs
	l.change(func(l *liar) { l.rotate("two") })
	_, err := l.logIn(t, p)
	if err != nil { // go-oidc may still hand out the answer of the read before, which has just ended
		_, err = l.logIn(t, p)
	}
	if err != nil {
		t.Errorf("with a new key: %v", err)
	}
	l.change(func(l *liar) { delete(l.keys, "one"); l.kid, l.signs = "one", old })
	now = now.Add(2 * time.Hour)
	l.change(func(l *liar) { l.claims["exp"], l.claims["iat"] = now.Add(time.Minute).Unix(), now.Unix() })
	if _, err := l.logIn(t, p); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("with a key that was withdrawn: %v", err)
	}
	before := l.times("/keys")
	l.change(func(l *liar) { l.kid = "unknown" })
	for range 20 {
		if _, err := l.logIn(t, p); chat.CodeOf(err) != chat.Unauthenticated {
			t.Errorf("with an unknown key: %v", err)
		}
	}
	if asked := l.times("/keys") - before; asked > keysBurst {
		t.Errorf("the keys were read %d times", asked)
	}
}

// A provider that is down is said to be, once for all who come at the time, and works when
// it is back. What is known of it is enough to say who came with its tokens.
func TestProviderIsDown(t *testing.T) {
	l := newLiar(t)
	p := l.of(0)
	now := time.Now()
	p.list[0].now = func() time.Time { return now }
	l.change(func(l *liar) { l.status = http.StatusBadGateway })
	for range 5 {
		if _, _, err := p.Begin(t.Context(), "id"); chat.CodeOf(err) != chat.Unavailable || !strings.Contains(err.Error(), "The Company cannot be reached") {
			t.Errorf("down: %v", err)
		}
	}
	if n := l.times("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
	now = now.Add(retryAfter)
	l.change(func(l *liar) { l.status = 0 })
	flow := l.begin(t, p)
	l.change(func(l *liar) { l.tokens = http.StatusInternalServerError })
	if _, err := p.Finish(t.Context(), "id", flow, url.Values{"state": {flow.State}, "code": {"x"}}); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("the token endpoint is down: %v", err)
	}
	l.change(func(l *liar) { l.tokens = 0 })
	now = now.Add(2 * metadataFor)
	l.change(func(l *liar) { l.issuer = "https://evil.example" })
	if _, _, err := p.Begin(t.Context(), "id"); err != nil {
		t.Errorf("what is known is used while the provider says nonsense: %v", err)
	}
	if _, _, err := l.of(0).Begin(t.Context(), "id"); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("a configuration of another issuer: %v", err)
	}
	l.Close()
	if _, _, err := l.of(0).Begin(t.Context(), "id"); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("nobody listens: %v", err)
	}
}

// What the token does not say is asked for.
func TestUserInfo(t *testing.T) {
	l := newLiar(t)
	l.change(func(l *liar) {
		l.claims["email"], l.claims["email_verified"], l.claims["groups"] = nil, nil, nil
		l.info = map[string]any{"sub": "ann-1", "email": "info@example.org", "email_verified": "true", "groups": "staff", "name": "Another"}
	})
	id, err := l.logIn(t, l.of(0))
	if err != nil || id.Email != "info@example.org" || !id.EmailVerified || id.Name != "Ann" || len(id.Groups) != 1 {
		t.Errorf("the identity is %+v, %v", id, err)
	}
	l.change(func(l *liar) { l.info["email_verified"] = false })
	if id, err := l.logIn(t, l.of(0)); err != nil || id.EmailVerified {
		t.Errorf("the identity is %+v, %v", id, err)
	}
}

func TestLogoutTokens(t *testing.T) {
	l := newLiar(t)
	p := l.of(0)
	event := map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	good := func() map[string]any {
		return map[string]any{"iss": l.URL, "sub": "ann-1", "sid": "session-1", "aud": client, "jti": "1", "iat": time.Now().Unix(),
			"exp": time.Now().Add(time.Minute).Unix(), "events": event}
	}
	f, err := p.LoggedOut(t.Context(), "id", l.sign(good()))
	if err != nil || f != (chat.Farewell{Issuer: l.URL, Subject: "ann-1", Session: "session-1", ID: "1"}) {
		t.Errorf("the farewell is %+v, %v", f, err)
	}
	for name, lie := range map[string]map[string]any{
		"issuer": {"iss": "https://evil.example"}, "audience": {"aud": "another client"}, "nonce": {"nonce": "x"}, "no event": {"events": nil},
		"another event": {"events": map[string]any{"other": map[string]any{}}}, "nobody": {"sub": nil, "sid": nil}, "no id": {"jti": nil}, "no expiry": {"exp": nil},
		"expired": {"exp": time.Now().Add(-10 * time.Minute).Unix()}, "old": {"iat": time.Now().Add(-20 * time.Minute).Unix()},
		"of the future": {"iat": time.Now().Add(10 * time.Minute).Unix()},
	} {
		claims := good()
		maps.Copy(claims, lie)
		if _, err := p.LoggedOut(t.Context(), "id", l.sign(claims)); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, lie := range map[string]func(){"unsigned": func() { l.unsigned = true }, "secret": func() { l.unsigned, l.secret = false, []byte(clientSecret) }} {
		lie()
		if _, err := p.LoggedOut(t.Context(), "id", l.sign(good())); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, token := range []string{"", "x", "a.b.c", strings.Repeat(".", 100)} {
		if _, err := p.LoggedOut(t.Context(), "id", token); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("%q: %v", token, err)
		}
	}
}

// What comes from outside is never worth a panic, and nothing unsigned is believed.
func FuzzTokens(f *testing.F) {
	l := newLiar(f)
	p := l.of(0)
	f.Add("a.b.c")
	f.Add(l.sign(map[string]any{"iss": l.URL, "aud": "another client"}))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if farewell, err := p.LoggedOut(t.Context(), "id", token); err == nil {
			t.Errorf("believed: %+v", farewell)
		}
	})
}
