package server

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"fechatter/chat"
	"fechatter/signin"
)

const ownURL = "http://example.com"

// idp is a real provider, with two people whom it knows.
type idp struct {
	*httptest.Server
	t *testing.T
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "users.json")
	people, err := json.Marshal(map[string]*storage.User{
		"id1": {ID: "id1", Username: "ann", Password: "of the provider", FirstName: "Ann", LastName: "Example", Email: "ann@example.org", EmailVerified: true},
		"id2": {ID: "id2", Username: "bob", Password: "of the provider", FirstName: "Bob", LastName: "Example", Email: "bob@elsewhere.example", EmailVerified: true},
	})
	if err == nil {
		err = os.WriteFile(file, people, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	known, err := storage.StoreFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	redirect := ownURL + v1 + "/auth/company/callback"
	clients := map[string]*storage.Client{"fechatter": storage.WebClient("fechatter", "secret", redirect)}
	before := slog.Default()
	handler = exampleop.SetupServer(server.URL, storage.NewStorageWithClients(known, clients), slog.New(slog.DiscardHandler), false, op.WithAllowInsecure())
	slog.SetDefault(before) // the example replaces it
	return &idp{server, t}
}

// withIDP has a node know a provider.
func (n *node) withIDP(issuer string, rules chat.ProviderRules, off bool) {
	settings := signin.Settings{ID: "company", Name: "Company", Issuer: issuer, ClientID: "fechatter", ClientSecret: "secret"}
	n.server.providers = signin.NewProviders([]signin.Settings{settings}, ownURL, http.DefaultClient, time.Now)
	n.server.chat = n.server.chat.WithSignIn(chat.SignIn{Providers: map[string]chat.ProviderRules{"company": rules}, PasswordsOff: off})
}

// browser keeps cookies and follows redirects.
type browser struct {
	*person
	jar http.CookieJar
}

func (n *node) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return &browser{&person{n: n, name: "a browser"}, jar}
}

// visit asks this server for an address of its own.
func (b *browser) visit(address string, headers ...string) *http.Response {
	b.n.t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	u, err := url.Parse(ownURL)
	if err != nil {
		b.n.t.Fatal(err)
	}
	for _, c := range b.jar.Cookies(u) {
		r.AddCookie(c)
	}
	answer := serve(b.n.handler, r).Result()
	b.jar.SetCookies(u, answer.Cookies())
	return answer
}

// logInAt goes through the provider's own pages, and returns where it sends the browser.
func (p *idp) logInAt(address, name string) string {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	back := ""
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), ownURL) {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := client.Get(address) //nolint:noctx // a test
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := io.ReadAll(page.Body)
	_ = page.Body.Close()
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindSubmatch(text)
	if err != nil || id == nil {
		p.t.Fatalf("the provider shows %d %s, %v", page.StatusCode, text, err)
	}
	form := url.Values{"username": {name}, "password": {"of the provider"}, "id": {string(id[1])}}
	done, err := client.PostForm(p.URL+"/login/username", form) //nolint:noctx // a test
	if err != nil {
		p.t.Fatal(err)
	}
	_ = done.Body.Close()
	if back == "" {
		p.t.Fatalf("the provider ends at %d", done.StatusCode)
	}
	return back
}

// begin goes to the provider, and returns its address.
func (b *browser) begin(query string) string {
	b.n.t.Helper()
	answer := b.visit(v1 + "/auth/company" + query)
	if answer.StatusCode != http.StatusSeeOther {
		text, _ := io.ReadAll(answer.Body)
		b.n.t.Fatalf("got %d %s", answer.StatusCode, text)
	}
	return answer.Header.Get("Location")
}

func TestLogInByProvider(t *testing.T) {
	idp, n := newIDP(t), newNode(t, nil)
	n.person("boss")
	n.withIDP(idp.URL, chat.ProviderRules{Create: true}, false)
	b := n.browser()
	back := idp.logInAt(b.begin("?return_to=%2Fchats%23x&device=laptop"), "ann")
	answer := b.visit(back)
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/chats#x" {
		t.Fatalf("got %d to %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	me := b.visit(v1 + "/me")
	var user chat.User
	if err := json.NewDecoder(me.Body).Decode(&user); err != nil || user.Username != "ann" || user.DisplayName != "Ann Example" {
		t.Errorf("me is %+v, %v", user, err)
	}
	for _, c := range answer.Cookies() {
		if strings.HasPrefix(c.Name, flowCookie) && c.MaxAge >= 0 {
			t.Errorf("the flow stays: %v", c)
		}
	}
	if again := b.visit(back); again.StatusCode != http.StatusUnauthorized {
		t.Errorf("the same return again: %d", again.StatusCode)
	}
	other := n.browser()
	if stolen := other.visit(idp.logInAt(b.begin(""), "ann")); stolen.StatusCode != http.StatusUnauthorized || len(stolen.Cookies()) > 0 {
		t.Errorf("in another browser: %d with %v", stolen.StatusCode, stolen.Cookies())
	}
	if got := other.visit(idp.logInAt(other.begin(""), "ann")); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/" {
		t.Errorf("a second browser: %d to %s", got.StatusCode, got.Header.Get("Location"))
	}
}

// Two windows of one browser may be at the provider at once.
func TestTwoFlowsOfOneBrowser(t *testing.T) {
	idp, n := newIDP(t), newNode(t, nil)
	n.person("boss")
	n.withIDP(idp.URL, chat.ProviderRules{Create: true}, false)
	b := n.browser()
	first, second := b.begin("?return_to=/one"), b.begin("?return_to=/two")
	for address, want := range map[string]string{first: "/one", second: "/two"} {
		if got := b.visit(idp.logInAt(address, "ann")).Header.Get("Location"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestProviderRulesAtLogIn(t *testing.T) {
	idp, n := newIDP(t), newNode(t, nil)
	n.person("boss")
	n.withIDP(idp.URL, chat.ProviderRules{Create: true, AllowedDomains: []string{"example.org"}}, true)
	b := n.browser()
	if got := b.visit(idp.logInAt(b.begin(""), "bob")); got.StatusCode != http.StatusForbidden {
		t.Errorf("bob gets %d", got.StatusCode)
	}
	if got := b.visit(idp.logInAt(b.begin(""), "bob"), "Accept", "text/html,*/*"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/#sign_in_error=forbidden" {
		t.Errorf("bob's browser gets %d to %s", got.StatusCode, got.Header.Get("Location"))
	}
	if got := b.visit(idp.logInAt(b.begin(""), "ann")); got.StatusCode != http.StatusSeeOther {
		t.Errorf("ann gets %d", got.StatusCode)
	}
	b.refused(chat.Forbidden, "POST", "/sessions", object{"username": "boss", "password": password}) // passwords are off
	b.refused(chat.Forbidden, "POST", "/users", object{"username": "eve", "password": password})
	b.refused(chat.Forbidden, "POST", "/password-resets", object{"username": "boss"})
	b.refused(chat.Forbidden, "POST", "/password-resets/complete", object{"token": "x", "new_password": password})
	b.refused(chat.NotFound, "POST", "/invitations/check", object{"code": "x"})
}

// Whoever arrives is told how one signs in here.
func TestWorkspaceTellsHowToSignIn(t *testing.T) {
	n := newNode(t, nil)
	signIn := func(host string) string {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, v1+"/workspace", nil)
		r.Host = host
		var body struct {
			SignIn json.RawMessage `json:"sign_in"`
		}
		if w := serve(n.handler, r); w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &body) != nil {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		return string(body.SignIn)
	}
	if got := signIn("127.0.0.1:8080"); got != `{"password":true,"passkey":false,"providers":[]}` {
		t.Errorf("by an address: %s", got)
	}
	n.withIDP("http://127.0.0.1:1", chat.ProviderRules{}, true)
	if got := signIn("example.com"); got != `{"password":false,"passkey":true,"providers":[{"id":"company","name":"Company"}]}` {
		t.Errorf("by a name, with a provider: %s", got)
	}
}

// A provider that is down keeps nobody out who is in, and log-in says so.
func TestProviderIsDown(t *testing.T) {
	idp, n := newIDP(t), newNode(t, nil)
	n.person("boss")
	n.withIDP(idp.URL, chat.ProviderRules{Create: true}, false)
	in := n.browser()
	in.visit(idp.logInAt(in.begin(""), "ann"))
	back := idp.logInAt(in.begin(""), "ann")
	idp.Close()
	if got := in.visit(back); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("coming back gets %d", got.StatusCode)
	}
	if got := in.visit(v1 + "/me"); got.StatusCode != http.StatusOK {
		t.Errorf("a session gets %d", got.StatusCode)
	}
	n.withIDP(idp.URL, chat.ProviderRules{Create: true}, false) // a node that has never reached it
	a := n.browser().refused(chat.Unavailable, "GET", "/auth/company", nil)
	if !strings.Contains(a.field("detail"), "Company cannot be reached") || a.header.Get("Retry-After") == "" {
		t.Errorf("got %s", a.raw)
	}
	got := n.browser().visit(v1+"/auth/company", "Accept", "text/html")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/#sign_in_error=unavailable" {
		t.Errorf("a browser gets %d to %s", got.StatusCode, got.Header.Get("Location"))
	}
}

func TestNoOpenRedirects(t *testing.T) {
	for to, ok := range map[string]bool{
		"": true, "/": true, "/chats#1": true, "/a?b=c": true, "/#join=x": true,
		"//evil.example": false, "https://evil.example": false, "http:evil.example": false, "/\\evil.example": false, "\\\\evil.example": false,
		"evil.example": false, "javascript:alert(1)": false, "/\n/evil.example": false, " /x": false, "/\t/evil.example": false,
		"///evil.example": false, "/%zz": false, "?x": false, "#x": false, "/" + strings.Repeat("x", 2000): false,
	} {
		got, err := ownPath(to)
		if (err == nil) != ok || ok && got != to && to != "" {
			t.Errorf("%q: %q, %v", to, got, err)
		}
	}
	n := newNode(t, nil)
	n.withIDP("http://127.0.0.1:1", chat.ProviderRules{}, false)
	n.browser().refused(chat.BadRequest, "GET", "/auth/company?return_to=%2F%2Fevil.example", nil)
}

func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{"/", "//x", "/\\x", "https://x", "/x#y", "/%2f/x"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://chat.example/page")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, to string) {
		got, err := ownPath(to)
		if err != nil {
			return
		}
		if u, err := base.Parse(got); err != nil || u.Host != "chat.example" || u.Scheme != "https" {
			t.Errorf("%q leads to %v, %v", to, u, err)
		}
	})
}

// A flow's cookie opens for its provider and state alone, and cannot be written.
func TestFlowsAreSealed(t *testing.T) {
	n := newNode(t, func(c *Config) { c.PublicURL, c.AllowedHosts = "https://chat.example", []string{"example.com"} })
	flow := chat.Flow{State: "0123456789abcdefghij", Nonce: "n", Verifier: "a verifier"}
	text, err := n.server.keepFlow("company", flow)
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := http.ParseSetCookie(text)
	if err != nil || !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || strings.Contains(text, flow.Verifier) {
		t.Fatalf("the cookie is %s, %v", text, err)
	}
	if got, ok := n.server.flow("company", flow.State, []*http.Cookie{cookie}); !ok || got != flow {
		t.Errorf("got %+v, %v", got, ok)
	}
	for what, c := range map[string]struct{ provider, state, value string }{
		"another provider": {"other", flow.State, cookie.Value}, "another state": {"company", flow.State[:16] + "x", cookie.Value},
		"a short state": {"company", "0123", cookie.Value}, "no state": {"company", "", cookie.Value}, "another value": {"company", flow.State, cookie.Value[1:]},
		"no value": {"company", flow.State, ""},
	} {
		if _, ok := n.server.flow(c.provider, c.state, []*http.Cookie{{Name: cookie.Name, Value: c.value}}); ok {
			t.Errorf("%s opens it", what)
		}
	}
}

func TestFarewellIsAForm(t *testing.T) {
	n := newNode(t, nil)
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{"application/x-www-form-urlencoded", "", 400},
		{"application/x-www-form-urlencoded", "logout_token=", 400},
		{"application/x-www-form-urlencoded", "logout_token=x", 404}, // there is no provider
		{"application/x-www-form-urlencoded", "logout_token=" + strings.Repeat("x", maxFarewell), 400},
		{"application/json", `{"logout_token":"x"}`, 400},
	} {
		r := httptest.NewRequest(http.MethodPost, v1+"/auth/company/logout", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		if w := serve(n.handler, r); w.Code != c.status || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %.30s: got %d %s", c.kind, c.body, w.Code, w.Body)
		}
	}
}
