package server

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func originServer(t *testing.T, publicURL string, allowed ...string) *Server {
	t.Helper()
	o, err := newOrigins(publicURL, allowed)
	if err != nil {
		t.Fatal(err)
	}
	return &Server{origins: o, cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
}

func TestOriginAllowed(t *testing.T) {
	for _, tc := range []struct {
		name, public, allowed, host, origin string
		tls, want                           bool
	}{
		{name: "no origin", host: "chat.example", want: true},
		{name: "own host", host: "chat.example", origin: "http://chat.example", want: true},
		{name: "own host, other letters", host: "Chat.Example", origin: "http://chat.example", want: true},
		{name: "own host, default port", host: "chat.example:80", origin: "http://chat.example", want: true},
		{name: "own host and port", host: "127.0.0.1:8080", origin: "http://127.0.0.1:8080", want: true},
		{name: "own host over TLS", host: "chat.example", origin: "https://chat.example", tls: true, want: true},
		{name: "own IPv6 host", host: "[::1]:8080", origin: "http://[::1]:8080", want: true},
		{name: "other scheme", host: "chat.example", origin: "https://chat.example"},
		{name: "other scheme over TLS", host: "chat.example", origin: "http://chat.example", tls: true},
		{name: "other port", host: "chat.example:8080", origin: "http://chat.example:8081"},
		{name: "no port", host: "chat.example:8080", origin: "http://chat.example"},
		{name: "other host", host: "chat.example", origin: "http://evil.example"},
		{name: "subdomain", host: "chat.example", origin: "http://a.chat.example"},
		{name: "host as a prefix", host: "chat.example", origin: "http://chat.example.evil.example"},
		{name: "host as a user", host: "chat.example", origin: "http://chat.example@evil.example"},
		{name: "null", host: "chat.example", origin: "null"},
		{name: "empty", host: "chat.example", origin: ""},
		{name: "nonsense", host: "chat.example", origin: "chat.example"},
		{name: "other kind", host: "chat.example", origin: "file://chat.example"},
		{name: "public_url", public: "https://chat.example", host: "10.1.2.3:8080", origin: "https://chat.example", want: true},
		{name: "public_url with a slash and port", public: "https://chat.example:443/", host: "10.1.2.3:8080", origin: "https://chat.example", want: true},
		{name: "public_url, other scheme", public: "https://chat.example", host: "10.1.2.3", origin: "http://chat.example"},
		{name: "allowed", allowed: "https://app.example:8443", host: "chat.example", origin: "https://app.example:8443", want: true},
		{name: "allowed, other port", allowed: "https://app.example:8443", host: "chat.example", origin: "https://app.example"},
		{name: "null is never allowed", allowed: "http://null", host: "chat.example", origin: "null"},
	} {
		var allowed []string
		if tc.allowed != "" {
			allowed = append(allowed, tc.allowed)
		}
		s := originServer(t, tc.public, allowed...)
		r := httptest.NewRequest(http.MethodGet, "/ws", nil)
		r.Host = tc.host
		if tc.name != "no origin" {
			r.Header["Origin"] = []string{tc.origin}
		}
		if tc.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := s.originAllowed(r); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
		if err := s.crossOrigin(r); err != nil {
			t.Errorf("%s: a safe method was refused: %v", tc.name, err)
		}
		r.Method = "POST"
		if got := s.crossOrigin(r) == nil; got != tc.want {
			t.Errorf("%s: POST got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestTwoOriginsAreRefused(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/ws", nil)
	r.Host = "chat.example"
	r.Header["Origin"] = []string{"http://chat.example", "http://evil.example"}
	if originServer(t, "").originAllowed(r) {
		t.Error("passed")
	}
}

// Sec-Fetch-Site is the browser's own word and counts beside the Origin.
func TestCrossOriginByFetchSite(t *testing.T) {
	for _, tc := range []struct {
		site, origin string
		want         bool
	}{
		{"same-origin", "http://chat.example", true},
		{"same-origin", "", true},
		{"none", "", true},
		{"cross-site", "", false},
		{"same-site", "", false},
		{"cross-site", "http://evil.example", false},
		{"same-origin", "http://evil.example", false},
		{"cross-site", "https://app.example", true},
		{"same-site", "https://app.example", true},
	} {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/sessions", nil)
		r.Host = "chat.example"
		r.Header.Set("Sec-Fetch-Site", tc.site)
		if tc.origin != "" {
			r.Header.Set("Origin", tc.origin)
		}
		if got := originServer(t, "", "https://app.example").crossOrigin(r) == nil; got != tc.want {
			t.Errorf("%+v: got %v", tc, got)
		}
	}
}

func TestNewOriginsRefuses(t *testing.T) {
	for _, bad := range []string{"chat.example", "ftp://chat.example", "https://", "https://chat.example/path", "https://u@chat.example", "https://chat.example?q", "null", "*"} {
		if _, err := newOrigins(bad, nil); err == nil {
			t.Errorf("public_url %q passed", bad)
		}
		if _, err := newOrigins("", []string{bad}); err == nil {
			t.Errorf("allowed origin %q passed", bad)
		}
	}
}

func TestClientAddress(t *testing.T) {
	s := originServer(t, "")
	for _, tc := range []struct{ peer, header, value, want string }{
		{"203.0.113.7:1000", "", "", "203.0.113.7"},
		{"203.0.113.7:1000", "X-Forwarded-For", "198.51.100.1", "203.0.113.7"},
		{"203.0.113.7:1000", "Forwarded", "for=198.51.100.1", "203.0.113.7"},
		{"10.0.0.1:1000", "", "", "10.0.0.1"},
		{"10.0.0.1:1000", "X-Forwarded-For", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1000", "X-Forwarded-For", "192.0.2.9, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1000", "X-Forwarded-For", "192.0.2.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:1000", "X-Forwarded-For", "198.51.100.1, nonsense", "10.0.0.1"},
		{"10.0.0.1:1000", "X-Forwarded-For", "198.51.100.1:4711", "198.51.100.1"},
		{"10.0.0.1:1000", "X-Forwarded-For", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
		{"10.0.0.1:1000", "Forwarded", `for=192.0.2.9, for=198.51.100.1;proto=https`, "198.51.100.1"},
		{"10.0.0.1:1000", "Forwarded", `For="[2001:db8:1:2:3::4]:4711"`, "2001:db8:1:2::/64"},
		{"10.0.0.1:1000", "Forwarded", `for=unknown`, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1000", "X-Forwarded-For", "198.51.100.1", "198.51.100.1"},
		{"[2001:db8::1]:1000", "", "", "2001:db8::/64"},
		{"@", "", "", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.peer
		if tc.header != "" {
			r.Header.Set(tc.header, tc.value)
		}
		if got := s.clientAddress(r); got != tc.want {
			t.Errorf("%+v: got %q", tc, got)
		}
	}
}

func TestSchemeByTrustedProxy(t *testing.T) {
	s := originServer(t, "")
	for peer, want := range map[string]string{"10.0.0.1:1": "https", "203.0.113.7:1": "http"} {
		for header, value := range map[string]string{"X-Forwarded-Proto": "https", "Forwarded": "for=192.0.2.1;proto=https"} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = peer
			r.Header.Set(header, value)
			if got := s.scheme(r); got != want {
				t.Errorf("%s of %s: got %s, want %s", header, peer, got, want)
			}
		}
	}
}
