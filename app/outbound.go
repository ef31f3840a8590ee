package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// What a request to an address that somebody else chose may cost.
const (
	outboundTimeout = 8 * time.Second // of a request with its answer; a handler has 10
	outboundConnect = 4 * time.Second
	outboundBytes   = 1 << 20 // of an answer
	outboundHops    = 3       // redirects within one origin
	outboundHosts   = 8       // connections to one host at once
)

var (
	errOutboundAddress  = errors.New("this address is not public, and outbound_allow does not name it")
	errOutboundRedirect = errors.New("the answer is a redirect to another server")
	errOutboundSize     = fmt.Errorf("the answer is larger than %d bytes", outboundBytes)
)

// outbound says where requests may go that this node makes to addresses that somebody
// else chose: providers, and whatever is to come. Nothing else may make such requests.
type outbound struct {
	networks []netip.Prefix // that may be reached although they are not public
	names    []string       // hosts, in lower case, for which any address will do
	proxy    *url.URL       // nil: none
}

func newOutbound(c Config) outbound {
	var o outbound
	for _, allowed := range c.OutboundAllow {
		if p, ok := prefix(allowed); ok {
			o.networks = append(o.networks, p)
		} else {
			o.names = append(o.names, strings.ToLower(allowed))
		}
	}
	if u, err := url.Parse(c.OutboundProxy); err == nil && c.OutboundProxy != "" {
		o.proxy = u
	}
	return o
}

// client returns the one client for such requests. Addresses are checked when they are
// connected to, after the name was resolved, so that no answer of a name server gets past.
// Behind a proxy names are the proxy's to resolve and to refuse; only addresses that are
// written as such are checked here.
func (o outbound) client() *http.Client {
	transport := &http.Transport{
		DialContext: o.dial, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: outboundConnect, ResponseHeaderTimeout: outboundTimeout,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 64, MaxConnsPerHost: outboundHosts, IdleConnTimeout: time.Minute,
	}
	if o.proxy != nil {
		transport.Proxy = func(r *http.Request) (*url.URL, error) { return o.proxy, o.checkWritten(r.URL.Hostname()) }
	}
	return &http.Client{Transport: bounded{transport}, Timeout: outboundTimeout, CheckRedirect: sameServer}
}

// dial connects to an address that passes, or to the proxy, which the operator has named.
func (o outbound) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: outboundConnect, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		return o.check(address)
	}}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if o.proxy != nil && address == withPort(o.proxy) || slices.Contains(o.names, strings.ToLower(host)) {
		d.ControlContext = nil
	}
	return d.DialContext(ctx, network, address)
}

// withPort returns host and port as the transport dials a proxy.
func withPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func (o outbound) check(address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read address %q: %w", address, err)
	}
	return o.judge(a.Addr())
}

// checkWritten judges a host that is an address; a name passes.
func (o outbound) checkWritten(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		return o.judge(a)
	}
	return nil
}

// judge refuses an address unless it is public or an exception: each form of it counts, so
// that an exception for an IPv4 network opens no other one that is written as IPv6.
func (o outbound) judge(a netip.Addr) error {
	a = embedded(a.WithZone(""))
	allowed := slices.ContainsFunc(o.networks, func(p netip.Prefix) bool { return p.Contains(a) })
	if allowed || isPublic(a) {
		return nil
	}
	return fmt.Errorf("%s: %w", a, errOutboundAddress)
}

// embedded returns the IPv4 address that an IPv6 one stands for, or the address itself:
// mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96), 6to4 (2002::/16).
func embedded(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is4() {
		return a
	}
	b := a.As16()
	for _, form := range []struct {
		prefix string
		at     int
	}{{"64:ff9b::/96", 12}, {"2002::/16", 2}, {"::/96", 12}} {
		if netip.MustParsePrefix(form.prefix).Contains(a) && !a.IsLoopback() && !a.IsUnspecified() {
			return netip.AddrFrom4([4]byte(b[form.at : form.at+4]))
		}
	}
	return a
}

// isPublic reports whether an address can be anybody's in the internet.
func isPublic(a netip.Addr) bool {
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(notPublic(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// notPublic are the networks that no method of netip knows, from the registries of special
// addresses (RFC 6890). Clouds serve their metadata from 169.254.169.254, which is link-local,
// and from fd00:ec2::254, which is private; Alibaba from 100.100.100.200.
func notPublic() []netip.Prefix {
	var list []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// sameServer follows a few redirects within one origin and none to elsewhere.
func sameServer(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > outboundHops || r.URL.Scheme != first.Scheme || !strings.EqualFold(r.URL.Host, first.Host) {
		return errOutboundRedirect
	}
	return nil
}

// bounded fails an answer that is too large.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.ContentLength > outboundBytes {
		return nil, errors.Join(errOutboundSize, answer.Body.Close())
	}
	answer.Body = &boundedBody{ReadCloser: answer.Body, left: outboundBytes}
	return answer, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if n, err := b.ReadCloser.Read(make([]byte, 1)); n == 0 {
			return 0, err // it ends here
		}
		return 0, errOutboundSize
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (c Config) validateOutbound() error {
	for _, allowed := range c.OutboundAllow {
		if _, ok := prefix(allowed); !ok && hostName(allowed) != nil || strings.Contains(allowed, "/") && !ok {
			return fmt.Errorf("outbound_allow: %q is neither an address, nor a network such as 10.0.0.0/8, nor a name such as id.example.org", allowed)
		}
	}
	if c.OutboundProxy == "" {
		return nil
	}
	if u, err := url.Parse(c.OutboundProxy); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("outbound_proxy: invalid address; use http://USER:PASSWORD@HOST:3128")
	}
	return nil
}
