package server

import (
	"net/http"
	"net/netip"
	"strings"
)

// clientAddress gives the address that a request comes from: that of the
// connection, or what trusted proxies say of it. IPv6 counts by its /64, for one
// home has them all. "" when there is none (a Unix socket).
func (s *Server) clientAddress(r *http.Request) string {
	at, ok := peer(r)
	if !ok {
		return ""
	}
	hops := forwardedFor(r.Header)
	for i := len(hops) - 1; i >= 0 && s.trusted(at); i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			break
		}
		at = hop
	}
	if at.Is6() {
		prefix, err := at.Prefix(64)
		if err != nil {
			return at.String()
		}
		return prefix.String()
	}
	return at.String()
}

// scheme is how the client reached the server, as far as a trusted proxy is believed.
func (s *Server) scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	if at, ok := peer(r); ok && s.trusted(at) && forwardedProto(r.Header) == "https" {
		return "https"
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

func (s *Server) trusted(at netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(at) {
			return true
		}
	}
	return false
}

// forwardedFor lists the hops, the nearest last. X-Forwarded-For is taken before
// Forwarded: a proxy must set one and drop what the client sent of the other.
func forwardedFor(h http.Header) []string {
	if values := h.Values("X-Forwarded-For"); len(values) > 0 {
		return strings.Split(strings.Join(values, ","), ",")
	}
	return forwardedParam(h, "for")
}

func forwardedProto(h http.Header) string {
	protos := h.Values("X-Forwarded-Proto")
	if len(protos) == 0 {
		protos = forwardedParam(h, "proto")
	}
	if len(protos) == 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(protos[len(protos)-1]))
}

// forwardedParam gives one parameter of each element of Forwarded (RFC 7239), ""
// where an element lacks it.
func forwardedParam(h http.Header, name string) []string {
	joined := strings.Join(h.Values("Forwarded"), ",")
	if joined == "" {
		return nil
	}
	var found []string
	for element := range strings.SplitSeq(joined, ",") {
		value := ""
		for pair := range strings.SplitSeq(element, ";") {
			key, v, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.EqualFold(key, name) {
				value = strings.Trim(v, `"`)
			}
		}
		found = append(found, value)
	}
	return found
}

// parseHop reads an address with or without a port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	at, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return at.Unmap().WithZone(""), err == nil
}
