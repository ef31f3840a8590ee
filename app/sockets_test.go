package app

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func TestSocketsStayBelowTheLimitOfOpenFiles(t *testing.T) {
	t.Parallel()
	for files, want := range map[int]struct{ places, address, live int }{
		1:       {1, 1, 1},
		64:      {32, 16, 24},
		300:     {154, 77, 114},
		1024:    {832, 416, 624},
		20_000:  {18_622, 9_311, 13_965},
		1 << 20: {1 << 16, 1 << 14, 49_152},
	} {
		cfg := publicDoor(defaults(), files)
		live := liveConnections(defaults().Limits.Connections, cfg.Places)
		if cfg.Places != want.places || cfg.PerAddress != want.address || live != want.live {
			t.Errorf("%d files: %d sockets, %d of one address, %d live connections", files, cfg.Places, cfg.PerAddress, live)
		}
	}
	c := defaults()
	c.Limits.Sockets, c.Limits.SocketsPerAddress, c.Limits.Connections = 100, 10, 0
	c.TrustedProxies = []string{"10.0.0.0/8"}
	cfg := publicDoor(c, 20_000)
	if cfg.Places != 100 || cfg.PerAddress != 10 || liveConnections(0, 100) != 75 {
		t.Errorf("by settings: %+v", cfg)
	}
	if !cfg.Proxy(netip.MustParseAddr("10.1.2.3")) || cfg.Proxy(netip.MustParseAddr("192.0.2.1")) {
		t.Error("the trusted proxies are not those of the settings")
	}
	c.TrustedProxies, c.TrustedHops = nil, 1
	if !publicDoor(c, 20_000).Proxy(netip.MustParseAddr("192.0.2.1")) {
		t.Error("with hops counted and no proxies named, whoever connects is not a proxy")
	}
	c.TLS, c.RedirectListen = acmeTLS, ":80"
	if got := publicDoor(c, 1024).Places; got != 100 {
		t.Errorf("a limit that is lower: %d sockets", got)
	}
	c.Limits.Sockets = 0
	if got := publicDoor(c, 1024).Places; got != 832-redirectSockets {
		t.Errorf("beside the listener that redirects: %d sockets", got)
	}
	c.TLS, c.RedirectListen = off, ""
	c.Limits.Sockets, c.Limits.SocketsPerAddress = 0, 0
	if cfg := publicDoor(c, 20_000); cfg.Places != 18_622 || cfg.PerAddress != 0 {
		t.Errorf("without limits: %+v", cfg)
	}
}

func TestPublicPlainHTTPIsWarnedOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		listen, public string
		want           bool
	}{
		{"127.0.0.1:8080", "", false}, {"127.9.9.9:8080", "", false}, {"[::1]:8080", "", false}, {"localhost:8080", "", false},
		{"0.0.0.0:8080", "", true}, {":8080", "", true}, {"[::]:8080", "", true}, {"192.0.2.1:80", "", true}, {"chat.example:80", "", true},
		{"0.0.0.0:8080", "http://chat.example", true}, {"0.0.0.0:8080", "https://chat.example", false},
		{"127.0.0.1:8080", "http://chat.example", false},
	} {
		var out bytes.Buffer
		c := defaults()
		c.Listen, c.PublicURL = tc.listen, tc.public
		warnOfPlainHTTP(c, slog.New(slog.NewTextHandler(&out, nil)))
		if got := strings.Contains(out.String(), "in the clear"); got != tc.want {
			t.Errorf("%s with public_url %q: %v", tc.listen, tc.public, got)
		}
	}
}
