package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// TestOutboundAddresses is the table of what this node connects to for somebody else.
func TestOutboundAddresses(t *testing.T) {
	none, some := newOutbound(Config{}), newOutbound(Config{OutboundAllow: []string{"10.1.0.0/16", "fd00:1::/32", "127.0.0.1"}})
	for _, c := range []struct {
		address     string
		plain, some bool // without exceptions, and with some
	}{
		{"8.8.8.8", true, true},
		{"2606:4700::1111", true, true},
		{"127.0.0.1", false, true},
		{"127.0.0.2", false, false},
		{"127.255.255.254", false, false},
		{"::1", false, false},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"::", false, false},
		{"10.1.2.3", false, true},
		{"10.2.0.1", false, false},
		{"172.16.0.1", false, false},
		{"172.31.255.255", false, false},
		{"172.32.0.1", true, true},
		{"192.168.1.1", false, false},
		{"100.64.0.1", false, false},
		{"100.100.100.200", false, false}, // metadata of a cloud
		{"169.254.169.254", false, false}, // metadata of most clouds
		{"169.254.0.1", false, false},
		{"fd00:ec2::254", false, false}, // metadata of a cloud
		{"fd00:1::1", false, true},
		{"fe80::1", false, false},
		{"fe80::1%eth0", false, false},
		{"fec0::1", false, false},
		{"ff02::1", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		{"240.0.0.1", false, false},
		{"192.0.0.192", false, false}, // metadata of a cloud
		{"192.0.2.1", false, false},
		{"198.18.0.1", false, false},
		{"203.0.113.1", false, false},
		{"2001:db8::1", false, false},
		{"2001::1", false, false}, // Teredo
		{"100::1", false, false},
		{"::ffff:127.0.0.1", false, true},
		{"::ffff:169.254.169.254", false, false},
		{"::ffff:10.1.2.3", false, true},
		{"::ffff:8.8.8.8", true, true},
		{"::7f00:1", false, true},            // 127.0.0.1, compatible
		{"64:ff9b::7f00:1", false, true},     // 127.0.0.1 by NAT64
		{"64:ff9b::a9fe:a9fe", false, false}, // 169.254.169.254 by NAT64
		{"64:ff9b::808:808", true, true},     // 8.8.8.8 by NAT64
		{"64:ff9b:1::808:808", false, false}, // NAT64 of one's own network
		{"2002:a9fe:a9fe::1", false, false},  // 169.254.169.254 by 6to4
		{"2002:7f00:1::1", false, true},      // 127.0.0.1 by 6to4
	} {
		a := netip.MustParseAddr(c.address)
		for what, o := range map[string]struct {
			of   outbound
			want bool
		}{"without exceptions": {none, c.plain}, "with": {some, c.some}} {
			err := o.of.judge(a)
			if (err == nil) != o.want || err != nil && !errors.Is(err, errOutboundAddress) {
				t.Errorf("%s %s: %v", c.address, what, err)
			}
		}
	}
}

// get asks for a URL, and returns the body.
func get(t *testing.T, o outbound, url string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := o.client().Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// A name is judged by what it resolves to, when it is connected to.
func TestOutboundChecksAfterResolution(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		if _, err := get(t, newOutbound(Config{}), "http://"+host+":"+port); err == nil {
			t.Errorf("%s can be reached", host)
		}
	}
	if asked.Load() > 0 {
		t.Errorf("the server was asked %d times", asked.Load())
	}
	for _, c := range []struct{ host, allow string }{{"127.0.0.1", "127.0.0.0/8"}, {"localhost", "LocalHost"}, {"localhost", "127.0.0.1"}} {
		if _, err := get(t, newOutbound(Config{OutboundAllow: []string{c.allow}}), "http://"+c.host+":"+port); err != nil {
			t.Errorf("%s with %s: %v", c.host, c.allow, err)
		}
	}
	if asked.Load() != 3 {
		t.Errorf("the server was asked %d times", asked.Load())
	}
}

func TestOutboundFollowsNoRedirectElsewhere(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/elsewhere": other.URL, "/here": "/there", "/loop": "/loop", "/scheme": strings.Replace("http://"+r.Host, "http:", "https:", 1)}[r.URL.Path]
		if to == "" {
			_, _ = io.WriteString(w, "there")
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	}))
	defer server.Close()
	o := newOutbound(Config{OutboundAllow: []string{"127.0.0.1"}})
	if body, err := get(t, o, server.URL+"/here"); err != nil || body != "there" {
		t.Errorf("a redirect within the server: %q, %v", body, err)
	}
	for _, path := range []string{"/elsewhere", "/loop", "/scheme"} {
		if _, err := get(t, o, server.URL+path); !errors.Is(err, errOutboundRedirect) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("the other server was asked")
	}
}

func TestOutboundAnswersAreBounded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := outboundBytes
		if r.URL.Path != "/fits" {
			size++
		}
		if r.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, strings.Repeat("x", size))
	}))
	defer server.Close()
	o := newOutbound(Config{OutboundAllow: []string{"127.0.0.1"}})
	if body, err := get(t, o, server.URL+"/fits"); err != nil || len(body) != outboundBytes {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	for _, path := range []string{"/sized", "/chunked"} {
		if _, err := get(t, o, server.URL+path); !errors.Is(err, errOutboundSize) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A server that accepts and says nothing costs what the caller grants, at most.
func TestOutboundWaitsEnd(t *testing.T) {
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	client := newOutbound(Config{OutboundAllow: []string{"127.0.0.1"}}).client()
	if client.Timeout != outboundTimeout {
		t.Errorf("the client waits %s", client.Timeout)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+silent.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := client.Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", answer, err)
	}
}

// Through a proxy everything goes to it, and still no address is asked for that is not
// public.
func TestOutboundProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		_, _ = io.WriteString(w, "by proxy")
	}))
	defer proxy.Close()
	o := newOutbound(Config{OutboundProxy: proxy.URL})
	if body, err := get(t, o, "http://id.example/path"); err != nil || body != "by proxy" {
		t.Errorf("%q, %v", body, err)
	}
	for _, host := range []string{"127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"} {
		if _, err := get(t, o, "http://"+host); !errors.Is(err, errOutboundAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(asked) != 1 || asked[0] != "http://id.example/path" {
		t.Errorf("the proxy was asked for %v", asked)
	}
}

func TestOutboundSettings(t *testing.T) {
	for _, bad := range []string{"--outbound-allow=10.0.0.0/99", "--outbound-allow=http://id.example", "--outbound-allow=a b",
		"--outbound-proxy=proxy:3128", "--outbound-proxy=socks5://proxy:1080"} {
		if _, err := load(t, "", bad); err == nil || !strings.Contains(err.Error(), "outbound_") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	c, err := load(t, "outbound_allow: [10.0.0.0/8, id.example.org]\noutbound_proxy: http://me:geheim@proxy:3128\n")
	if err != nil {
		t.Fatal(err)
	}
	if text := c.String(); strings.Contains(text, "geheim") || !strings.Contains(text, "id.example.org") {
		t.Errorf("the settings are shown as %s", text)
	}
}
