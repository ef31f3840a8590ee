package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// askFor asks for a path under a name.
func askFor(h http.Handler, method, path, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	return serve(h, r)
}

func namedServer(t *testing.T, publicURL string) http.Handler {
	t.Helper()
	s, err := New(Config{PublicURL: publicURL, AllowedOrigins: []string{"https://app.example:8443"}, AllowedHosts: []string{"Chat.svc", "node1:8080"}, Limits: DefaultLimits()},
		Deps{Chat: over(t, nil).chat, Page: http.NotFoundHandler(), Log: over(t, nil).log})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

func TestOtherNamesAreRefused(t *testing.T) {
	h := namedServer(t, "https://chat.example")
	for _, host := range []string{"chat.example", "CHAT.example", "chat.example:443", "chat.example:8443", "chat.example.", "chat.example.:443",
		"app.example", "chat.svc", "chat.svc:80", "node1", "localhost", "localhost:8080", "LOCALHOST.", "a.localhost",
		"127.0.0.1", "127.0.0.1:8080", "10.1.2.3:8080", "[::1]", "[::1]:8080", "[2001:db8::1]:80"} {
		if w := askFor(h, "GET", "/api/v1/me", host); w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", host, w.Code)
		}
	}
	for _, host := range []string{"", "evil.example", "evil.example:443", "chat.example.evil.example", "evil.chat.example", "chat.example..",
		"user@chat.example", "chat.example:443:443", "chat.example:x", "chat.example/", "localhost.evil.example", "notlocalhost", ":8080", ".",
		"127.0.0.1.evil.example", "2130706433", "0x7f.1", "[::1", "[evil.example]", "::1"} {
		for _, path := range []string{"/", "/api/v1/me", "/api/v1/events", "/ws", "/openapi.json", "/nothing", "/health/x", "/livez/"} {
			w := askFor(h, "GET", path, host)
			if w.Code != http.StatusMisdirectedRequest || !strings.Contains(w.Body.String(), `"code":"bad_request"`) || !strings.Contains(w.Body.String(), "https://chat.example") {
				t.Errorf("%q %s: %d %s", host, path, w.Code, w.Body)
			}
		}
		for _, path := range []string{"/livez", "/readyz", "/health", "/health/simple"} {
			if w := askFor(h, "GET", path, host); w.Code == http.StatusMisdirectedRequest {
				t.Errorf("%q: %s is not answered", host, path)
			}
		}
	}
}

// Without a public_url nobody has said what the names are.
func TestAnyNameWithoutPublicURL(t *testing.T) {
	if w := askFor(namedServer(t, ""), "GET", "/api/v1/me", "evil.example"); w.Code != http.StatusUnauthorized {
		t.Errorf("%d", w.Code)
	}
}
