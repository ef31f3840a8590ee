package server

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestCORS: pages of allowed origins read answers, refusals too, and never with credentials.
func TestCORS(t *testing.T) {
	n := newNode(t, func(c *Config) {
		c.PublicURL, c.AllowedOrigins = "https://chat.example", []string{"https://app.example:8443"}
		c.AllowedHosts = []string{"example.com"} // of the requests of persons
	})
	ann := n.person("ann")
	ask := func(method, path, origin string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://chat.example"+path, nil)
		r.Header.Set("Origin", origin)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return serve(n.handler, r)
	}
	bearer := []string{"Authorization", "Bearer " + ann.token}
	for _, tc := range []struct {
		name, method, path, origin string
		headers                    []string
		status                     int
		shared                     bool
	}{
		{"an answer", "GET", "/api/v1/me", "https://app.example:8443", bearer, 200, true},
		{"a refusal", "GET", "/api/v1/me", "https://app.example:8443", nil, 401, true},
		{"no such route", "GET", "/api/v1/nothing", "https://app.example:8443", nil, 404, true},
		{"a preflight", "OPTIONS", "/api/v1/me", "https://app.example:8443", []string{"Access-Control-Request-Method", "PATCH"}, 204, true},
		{"written in capitals", "GET", "/api/v1/me", "HTTPS://APP.example:8443", bearer, 200, true},
		{"our own page", "GET", "/api/v1/me", "https://chat.example", bearer, 200, false},
		{"another origin", "GET", "/api/v1/me", "https://evil.example", bearer, 200, false},
		{"another port", "GET", "/api/v1/me", "https://app.example", bearer, 200, false},
		{"a preflight of another", "OPTIONS", "/api/v1/me", "https://evil.example", []string{"Access-Control-Request-Method", "PATCH"}, 405, false},
		{"null", "GET", "/api/v1/me", "null", bearer, 200, false},
		{"outside the API", "GET", "/livez", "https://app.example:8443", nil, 200, false},
	} {
		w := ask(tc.method, tc.path, tc.origin, tc.headers...)
		allowed := w.Header().Get("Access-Control-Allow-Origin")
		if w.Code != tc.status || (allowed == tc.origin) != tc.shared || !tc.shared && allowed != "" {
			t.Errorf("%s: got %d, allowed %q", tc.name, w.Code, allowed)
		}
		if got := w.Header().Get("Access-Control-Allow-Credentials"); got != "" {
			t.Errorf("%s: credentials %q", tc.name, got)
		}
		if tc.shared && w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: a cache may show it to another origin", tc.name)
		}
	}
	w := ask("OPTIONS", "/api/v1/me", "https://app.example:8443", "Access-Control-Request-Method", "PATCH")
	for name, want := range map[string]string{"Access-Control-Allow-Methods": "PATCH", "Access-Control-Allow-Headers": "Authorization"} {
		if !strings.Contains(w.Header().Get(name), want) {
			t.Errorf("%s is %q", name, w.Header().Get(name))
		}
	}
}
