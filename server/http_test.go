package server

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

// bare returns a server without a store, for what is answered before any use case. A
// well-formed token makes it panic, as a faulty handler would.
func bare(t *testing.T, logs io.Writer, observer Observer) http.Handler {
	t.Helper()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") })
	s, err := New(Config{PublicURL: "https://chat.example", AllowedHosts: []string{"example.com"}, Limits: DefaultLimits(), Version: "1.2.3"}, Deps{
		Chat: chat.NewService(nil, nil, nil, nil, chat.DefaultLimits()),
		Page: page, Log: slog.New(slog.NewTextHandler(logs, nil)), Observer: observer,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

var wellFormedToken = strings.Repeat("A", 43)

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRefusalsBeforeAnyUseCase(t *testing.T) {
	h := bare(t, io.Discard, nil)
	big := `{"username":"` + strings.Repeat("a", 64<<10) + `"}`
	for _, tc := range []struct {
		name, method, path, kind, body string
		status                         int
		code, header, value            string
	}{
		{"unknown route", "GET", "/api/v1/nothing", "", "", 404, "not_found", "", ""},
		{"unknown route, other method", "POST", "/api/v2/users", "application/json", "{}", 404, "not_found", "", ""},
		{"the API's root", "GET", "/api", "", "", 404, "not_found", "", ""},
		{"empty id", "GET", "/api/v1/users/", "", "", 401, "unauthenticated", "WWW-Authenticate", "Bearer"},
		{"trailing slash", "GET", "/api/v1/me/", "", "", 404, "not_found", "", ""},
		{"empty segment", "GET", "/api/v1//users", "", "", 404, "not_found", "", ""},
		{"dot segment", "GET", "/api/v1/me/../users", "", "", 404, "not_found", "", ""},
		{"method", "PUT", "/api/v1/users", "application/json", "{}", 405, "bad_request", "Allow", "GET, HEAD, POST"},
		{"method of one", "GET", "/api/v1/me/password", "", "", 405, "bad_request", "Allow", "PUT"},
		{"method outside the API", "POST", "/openapi.json", "", "", 405, "bad_request", "Allow", "GET, HEAD"},
		{"no CORS preflight", "OPTIONS", "/api/v1/users", "", "", 405, "bad_request", "Allow", "GET, HEAD, POST"},
		{"no handshake", "GET", "/ws", "", "", 426, "bad_request", "Upgrade", "websocket"},
		{"anonymous", "GET", "/api/v1/me", "", "", 401, "unauthenticated", "WWW-Authenticate", "Bearer"},
		{"anonymous with a bad body", "PATCH", "/api/v1/me", "text/plain", "x", 401, "unauthenticated", "WWW-Authenticate", "Bearer"},
		{"no media type", "POST", "/api/v1/users", "", "{}", 415, "bad_request", "", ""},
		{"other media type", "POST", "/api/v1/users", "text/plain", "{}", 415, "bad_request", "", ""},
		{"form", "POST", "/api/v1/users", "application/x-www-form-urlencoded", "a=b", 415, "bad_request", "", ""},
		{"JSON of another kind", "POST", "/api/v1/users", "application/foo+json", "{}", 415, "bad_request", "", ""},
		{"other charset", "POST", "/api/v1/users", "application/json; charset=latin1", "{}", 415, "bad_request", "", ""},
		{"too large", "POST", "/api/v1/users", "application/json", big, 413, "too_large", "", ""},
		{"no body", "POST", "/api/v1/users", "", "", 400, "bad_request", "", ""},
		{"not JSON", "POST", "/api/v1/users", "application/json", "{", 400, "bad_request", "", ""},
		{"not an object", "POST", "/api/v1/users", "application/json", "[]", 400, "bad_request", "", ""},
		{"missing field", "POST", "/api/v1/users", "application/json", `{"username":"ada"}`, 400, "bad_request", "", ""},
		{"other case", "POST", "/api/v1/users", "application/json", `{"USERNAME":"ada","password":"12345678"}`, 400, "bad_request", "", ""},
		{"duplicate key", "POST", "/api/v1/users", "application/json", `{"username":"ada","username":"bob","password":"12345678"}`, 400, "bad_request", "", ""},
		{"wrong type", "POST", "/api/v1/users", "application/json; charset=utf-8", `{"username":1,"password":"12345678"}`, 400, "bad_request", "", ""},
		{"query", "POST", "/api/v1/users?a=%zz", "application/json", `{}`, 400, "bad_request", "", ""},
		{"bad username", "POST", "/api/v1/users", "application/json", `{"username":"A","password":"12345678"}`, 400, "bad_request", "", ""},
	} {
		r := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
		if tc.kind != "" {
			r.Header.Set("Content-Type", tc.kind)
		}
		w := serve(h, r)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Errorf("%s: %v in %d %q", tc.name, err, w.Code, w.Body)
			continue
		}
		if w.Code != tc.status || p.Status != tc.status || string(p.Code) != tc.code || p.Detail == "" || w.Header().Get("Content-Type") != problemType {
			t.Errorf("%s: got %d %s (%s)", tc.name, w.Code, w.Body, w.Header().Get("Content-Type"))
		}
		if tc.header != "" && w.Header().Get(tc.header) != tc.value {
			t.Errorf("%s: %s is %q, want %q", tc.name, tc.header, w.Header().Get(tc.header), tc.value)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control is %q", tc.name, got)
		}
	}
}

func TestCredentials(t *testing.T) {
	h := bare(t, io.Discard, nil)
	for name, header := range map[string]http.Header{
		"none":               {},
		"other scheme":       {"Authorization": {"Basic " + wellFormedToken}},
		"no token":           {"Authorization": {"Bearer"}},
		"empty token":        {"Authorization": {"Bearer "}},
		"two headers":        {"Authorization": {"Bearer " + wellFormedToken, "Bearer " + wellFormedToken}},
		"short token":        {"Authorization": {"Bearer x"}},
		"header over cookie": {"Authorization": {"Basic x"}, "Cookie": {sessionCookie + "=" + wellFormedToken}},
		"other cookie":       {"Cookie": {"session=" + wellFormedToken}},
		"empty cookie":       {"Cookie": {sessionCookie + "="}},
	} {
		for _, query := range []string{"", "?token=" + wellFormedToken, "?access_token=" + wellFormedToken} {
			r := httptest.NewRequest(http.MethodGet, "/api/v1/me"+query, nil)
			r.Header = header
			if w := serve(h, r); w.Code != http.StatusUnauthorized {
				t.Errorf("%s%s: got %d", name, query, w.Code)
			}
		}
	}
}

func TestUnsafeCrossOriginIsRefusedEverywhere(t *testing.T) {
	h := bare(t, io.Discard, nil)
	for _, path := range []string{"/api/v1/users", "/api/v1/sessions", "/api/v1/chats", "/api/v1/nothing", "/", "/ws"} {
		for _, cookie := range []string{"", sessionCookie + "=" + wellFormedToken} {
			for _, origin := range []string{"https://evil.example", "null", "http://chat.example"} {
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Origin", origin)
				if cookie != "" {
					r.Header.Set("Cookie", cookie)
				}
				w := serve(h, r)
				if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"forbidden"`) {
					t.Errorf("%s from %s: got %d %s", path, origin, w.Code, w.Body)
				}
				for name := range w.Header() {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("%s: sends %s", path, name)
					}
				}
			}
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/users", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "https://chat.example")
	if w := serve(h, r); w.Code != http.StatusBadRequest {
		t.Errorf("from public_url: got %d, want to reach validation", w.Code)
	}
}

func TestRequestID(t *testing.T) {
	h := bare(t, io.Discard, nil)
	seen := map[string]bool{}
	for given, kept := range map[string]bool{"abc-1.2_3": true, "": false, "with space": false, strings.Repeat("a", 65): false, "new\tline": false} {
		r := httptest.NewRequest(http.MethodGet, "/livez", nil)
		r.Header.Set("X-Request-Id", given)
		got := serve(h, r).Header().Get("X-Request-Id")
		if (got == given) != kept || got == "" || seen[got] {
			t.Errorf("%q: got %q", given, got)
		}
		seen[got] = true
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := bare(t, io.Discard, nil)
	for _, path := range []string{"/api/v1/me", "/docs", "/openapi.json", "/livez", "/", "/api/v1/nothing"} {
		header := serve(h, httptest.NewRequest(http.MethodGet, path, nil)).Header()
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") == "" ||
			!strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %v", path, header)
		}
	}
}

// counter keeps what it observes of requests.
type counter struct {
	noObserver
	mu   sync.Mutex
	seen []string
}

func (c *counter) Request(route, method string, status int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, method+" "+route+" "+http.StatusText(status))
}

func TestPanicIsOneFailedRequest(t *testing.T) {
	var logs bytes.Buffer
	observer := &counter{}
	h := bare(t, &logs, observer)
	r := httptest.NewRequest(http.MethodGet, "/api/v1/messages/0199a0c0-0000-7000-8000-000000000001", nil)
	r.Header.Set("Authorization", "Bearer "+wellFormedToken)
	w := serve(h, r)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"internal"`) || strings.Contains(w.Body.String(), "nil pointer") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := serve(h, httptest.NewRequest(http.MethodGet, "/livez", nil)); w.Code != http.StatusOK {
		t.Errorf("afterwards: got %d", w.Code)
	}
	log := logs.String()
	if !strings.Contains(log, "nil pointer") || !strings.Contains(log, w.Header().Get("X-Request-Id")) || !strings.Contains(log, "/api/v1/messages/{id}") {
		t.Errorf("the log lacks the panic, the id or the route: %s", log)
	}
	if strings.Contains(log, wellFormedToken) {
		t.Errorf("the log holds the token: %s", log)
	}
	if want := "GET /api/v1/messages/{id} Internal Server Error"; !slices.Contains(observer.seen, want) {
		t.Errorf("observer saw %q, want %q", observer.seen, want)
	}
}

func TestPageIsServedBesideTheTable(t *testing.T) {
	h := bare(t, io.Discard, nil)
	for _, path := range []string{"/", "/chats/x", "/apiary"} {
		if w := serve(h, httptest.NewRequest(http.MethodGet, path, nil)); w.Code != http.StatusOK || w.Body.String() != "the page" {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}

func TestWhatProgramsAskForIsNeverThePage(t *testing.T) {
	h := bare(t, io.Discard, nil)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/health/x", "/ws/x", "/api/v2", "/readyz/"} {
		w := serve(h, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != problemType {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}

// Browsers are bound to https only where public_url is https.
func TestStrictTransport(t *testing.T) {
	for public, want := range map[string]bool{"https://chat.example": true, "http://chat.example": false, "": false} {
		n := newNode(t, func(c *Config) { c.PublicURL, c.AllowedHosts = public, []string{"example.com"} })
		anonymous := &person{n: n, name: "anonymous"}
		a := anonymous.want(http.StatusUnauthorized, "GET", "/me", nil)
		if got := a.header.Get("Strict-Transport-Security") != ""; got != want {
			t.Errorf("under %q it is %v", public, got)
		}
	}
}
