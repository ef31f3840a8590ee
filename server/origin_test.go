package server

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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
		{name: "public_url, default port", public: "http://chat.example", host: "chat.example", origin: "http://chat.example:80", want: true},
		{name: "public_url in capitals", public: "HTTPS://Chat.Example:443", host: "chat.example", origin: "https://chat.example", want: true},
		{name: "public_url with the dot of the root", public: "https://chat.example", host: "chat.example.", origin: "https://chat.example.", want: true},
		{name: "public_url, IPv6", public: "https://[2001:DB8::1]:8443", host: "[2001:db8::1]:8443", origin: "https://[2001:db8::1]:8443", want: true},
		{name: "public_url, own host", public: "https://chat.example", host: "evil.example", origin: "http://evil.example"},
		{name: "public_url, own host over TLS", public: "https://chat.example", host: "evil.example", origin: "https://evil.example", tls: true},
		{name: "public_url, own address", public: "https://chat.example", host: "127.0.0.1:8080", origin: "http://127.0.0.1:8080"},
		{name: "public_url, own localhost", public: "https://chat.example", host: "localhost:8080", origin: "http://localhost:8080"},
		{name: "public_url, its host over http", public: "https://chat.example", host: "chat.example", origin: "http://chat.example"},
		{name: "public_url, its host at another port", public: "https://chat.example", host: "chat.example:8443", origin: "https://chat.example:8443", tls: true},
		{name: "public_url and another allowed", public: "https://chat.example", allowed: "http://localhost:8080", host: "localhost:8080", origin: "http://localhost:8080", want: true},
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

// Sec-Fetch-Site is set by the browser itself, and counts besides the Origin.
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
		{"10.0.0.1:1000", "Forwarded", `for=192.0.2.9 ; proto=https ,for="198.51.100.1";`, "198.51.100.1"},
		{"10.0.0.1:1000", "Forwarded", `for=198.51.100.1;host="a,for=192.0.2.9"`, "198.51.100.1"},
		{"10.0.0.1:1000", "Forwarded", `for=198.51.100.1;host="a\",for=192.0.2.9"`, "198.51.100.1"},
		{"10.0.0.1:1000", "Forwarded", `for=192.0.2.9;a=", for=198.51.100.1`, "10.0.0.1"},
		{"10.0.0.1:1000", "Forwarded", `for=192.0.2.9;a=", for="198.51.100.1"`, "10.0.0.1"},
		{"10.0.0.1:1000", "Forwarded", `for=192.0.2.9 for=198.51.100.1`, "10.0.0.1"},
		{"10.0.0.1:1000", "Forwarded", `, ,for=198.51.100.1`, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:1000", "X-Forwarded-For", "198.51.100.1", "198.51.100.1"},
		{"[2001:db8::1]:1000", "", "", "2001:db8::/64"},
		{"@", "", "", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.peer
		if tc.header != "" {
			r.Header.Set(tc.header, tc.value)
		}
		if got := sourceOf(s.client(r)).address; got != tc.want {
			t.Errorf("%+v: got %q", tc, got)
		}
	}
}

// With hops counted, the address of a proxy does not matter, and what a client puts in
// front of what the proxies add does not either.
func TestTrustedHops(t *testing.T) {
	for _, tc := range []struct {
		hops              int
		proxies           string // trusted
		peer, value, want string
	}{
		{1, "", "203.0.113.7:1000", "198.51.100.1", "198.51.100.1"},
		{1, "", "203.0.113.7:1000", "192.0.2.9, 198.51.100.1", "198.51.100.1"},
		{2, "", "203.0.113.7:1000", "192.0.2.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{2, "", "203.0.113.7:1000", "192.0.2.9, 192.0.2.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{2, "", "203.0.113.7:1000", "198.51.100.1", "203.0.113.7"},
		{2, "", "203.0.113.7:1000", "", "203.0.113.7"},
		{1, "", "203.0.113.7:1000", "198.51.100.1, nonsense", "203.0.113.7"},
		{3, "", "203.0.113.7:1000", "2001:db8:1:2:3::4, 10.0.0.3, 10.0.0.2", "2001:db8:1:2::/64"},
		{1, "10.0.0.0/8", "203.0.113.7:1000", "198.51.100.1", "203.0.113.7"},
		{1, "10.0.0.0/8", "10.0.0.1:1000", "192.0.2.9, 198.51.100.1", "198.51.100.1"},
		{2, "10.0.0.0/8", "10.0.0.1:1000", "192.0.2.9, 198.51.100.1, 203.0.113.7", "198.51.100.1"},
		{1, "10.0.0.0/8", "10.0.0.1:1000", "192.0.2.9, 10.0.0.3", "10.0.0.3"},
	} {
		s := &Server{cfg: Config{TrustedHops: tc.hops}}
		if tc.proxies != "" {
			s.cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(tc.proxies)}
		}
		for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = tc.peer
			value := tc.value
			if header == "Forwarded" {
				value = forwardedOf(value)
			}
			if value != "" {
				r.Header.Set(header, value)
			}
			r.Header.Set("X-Forwarded-Proto", "https")
			if got := sourceOf(s.client(r)).address; got != tc.want {
				t.Errorf("%+v by %s: got %q", tc, header, got)
			}
			peer, _ := peer(r)
			if got := s.scheme(r) == "https"; got != s.believed(peer) {
				t.Errorf("%+v: https is %v", tc, got)
			}
		}
	}
}

// forwardedOf writes the hops of an X-Forwarded-For as a Forwarded.
func forwardedOf(hops string) string {
	if hops == "" {
		return ""
	}
	var elements []string
	for hop := range strings.SplitSeq(hops, ", ") {
		if strings.Contains(hop, ":") {
			hop = `"[` + hop + `]"`
		}
		elements = append(elements, "for="+hop+";proto=http")
	}
	return strings.Join(elements, ", ")
}

// Without a setting nobody is believed, wherever they come from.
func TestNobodyIsBelievedByDefault(t *testing.T) {
	s := &Server{}
	for _, peer := range []string{"127.0.0.1:1", "10.0.0.1:1", "[::1]:1", "[fd00::1]:1", "203.0.113.7:1"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer
		want := sourceOf(s.client(r)).address
		for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip"} {
			r.Header.Set(header, "198.51.100.1")
		}
		r.Header.Set("X-Forwarded-Proto", "https")
		if got := sourceOf(s.client(r)).address; got != want || s.scheme(r) != "http" {
			t.Errorf("%s: %s over %s, want %s over http", peer, got, s.scheme(r), want)
		}
	}
}

// FuzzForwarded: whatever a client sends in front of what its proxies add, it is taken
// for itself, or for the proxy, and never for somebody else.
func FuzzForwarded(f *testing.F) {
	for _, sent := range []string{"", "192.0.2.9", "192.0.2.9, 10.0.0.9", `for=192.0.2.9;a="`, `for=192.0.2.9, for="`, `\"`, ",;,=", `for="\`, "10.0.0.1", "::", "192.0.2.9:1,,"} {
		f.Add(sent, sent)
	}
	const real, peer = "198.51.100.1", "10.0.0.1"
	ranges := &Server{cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	one, two := &Server{cfg: Config{TrustedHops: 1}}, &Server{cfg: Config{TrustedHops: 2}}
	f.Fuzz(func(t *testing.T, sent, host string) {
		for _, tc := range []struct {
			s             *Server
			header, value string
			orProxy       bool
		}{
			{s: ranges, header: "X-Forwarded-For", value: sent + ", " + real},
			{s: ranges, header: "X-Forwarded-For", value: sent + ", " + real + ", 10.0.0.2"},
			{s: one, header: "X-Forwarded-For", value: sent + ", " + real},
			{s: two, header: "X-Forwarded-For", value: sent + ", " + real + ", 203.0.113.1"},
			{s: ranges, header: "Forwarded", value: sent + ", for=" + real, orProxy: true},
			{s: ranges, header: "Forwarded", value: sent + `, for="` + real + `:4711";host="x"`, orProxy: true},
			{s: one, header: "Forwarded", value: sent + ", for=" + real + ";proto=https", orProxy: true},
			{s: one, header: "Forwarded", value: "for=" + real + `;host="` + quoted(host) + `"`},
		} {
			r := &http.Request{RemoteAddr: peer + ":1", Header: http.Header{tc.header: {tc.value}, "X-Forwarded-Proto": {sent}}}
			got := tc.s.client(r).String()
			if got != real && (!tc.orProxy || got != peer) {
				t.Errorf("%s: %q was taken for %s", tc.header, tc.value, got)
			}
			if scheme := tc.s.scheme(r); scheme != "http" && scheme != "https" {
				t.Errorf("scheme %q", scheme)
			}
		}
		r := &http.Request{RemoteAddr: "203.0.113.7:1", Header: http.Header{"X-Forwarded-For": {sent}, "Forwarded": {host}}}
		if got := ranges.client(r).String(); got != "203.0.113.7" {
			t.Errorf("%q, %q from a stranger was taken for %s", sent, host, got)
		}
	})
}

// quoted escapes text for a quoted string, as a proxy does.
func quoted(text string) string {
	return strings.NewReplacer("\\", "\\\\", `"`, `\"`).Replace(text)
}

func TestSchemeByTrustedProxy(t *testing.T) {
	s := originServer(t, "")
	for peer, want := range map[string]string{"10.0.0.1:1": "https", "203.0.113.7:1": "http"} {
		for _, values := range [][]string{
			{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "https,https"}, {"X-Forwarded-Proto", "HTTPS , http"},
			{"X-Forwarded-Proto", "wss"}, {"X-Forwarded-Proto", "https", "https"}, {"X-Forwarded-Proto", "", "https"}, {"X-Forwarded-Proto", ", https"},
			{"Forwarded", "for=192.0.2.1;proto=https"}, {"Forwarded", "for=192.0.2.1, for=10.0.0.2;proto=HTTPS"},
			{"Forwarded", "for=192.0.2.1;proto=https, for=10.0.0.2;proto=http"},
		} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = peer
			r.Header[values[0]] = values[1:]
			if got := s.scheme(r); got != want {
				t.Errorf("%q from %s: got %s, want %s", values, peer, got, want)
			}
		}
	}
}
