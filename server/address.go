package server

import (
	"net/http"
	"net/netip"
)

// client returns the address that a request comes from: that of the connection, or the
// one that trusted proxies report. It is not valid when there is none (a Unix socket).
func (s *Server) client(r *http.Request) netip.Addr {
	at, ok := peer(r)
	if !ok || !s.believed(at) {
		return at
	}
	hops := forwardedFor(r.Header)
	if n := s.cfg.TrustedHops; n > 0 {
		return hopsBack(at, hops, n)
	}
	for i := len(hops) - 1; i >= 0 && s.trusted(at); i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			break
		}
		at = hop
	}
	return at
}

// hopsBack returns what the nth proxy from here was connected from: each adds one hop.
// If there are fewer, somebody came past a proxy, and is counted by their connection.
func hopsBack(at netip.Addr, hops []string, n int) netip.Addr {
	if n > len(hops) {
		return at
	}
	if hop, ok := parseHop(hops[len(hops)-n]); ok {
		return hop
	}
	return at
}

// scheme is how the client reached the server; only a trusted proxy is believed.
func (s *Server) scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	if at, ok := peer(r); ok && s.believed(at) {
		switch forwardedProto(r.Header) {
		case "https", "wss": // Traefik calls the scheme of an upgrade wss
			return "https"
		}
	}
	return "http"
}

func peer(r *http.Request) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	return at.Addr().Unmap().WithZone(""), true
}

// believed reports whether the other end of a connection may say for whom it asks: one
// of the trusted proxies, or, if hops are counted and no proxies named, whoever it is.
func (s *Server) believed(at netip.Addr) bool {
	return s.trusted(at) || s.cfg.TrustedHops > 0 && len(s.cfg.TrustedProxies) == 0
}

func (s *Server) trusted(at netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(at) {
			return true
		}
	}
	return false
}
