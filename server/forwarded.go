package server

import (
	"net/http"
	"net/netip"
	"strings"
)

// forwardedFor lists the hops, nearest last. X-Forwarded-For is preferred to
// Forwarded: a proxy must set one and drop what the client sent of the other.
func forwardedFor(h http.Header) []string {
	if values := h.Values("X-Forwarded-For"); len(values) > 0 {
		return strings.Split(strings.Join(values, ","), ",")
	}
	return forwardedParam(h, "for")
}

// forwardedProto returns the first scheme that is reported: each proxy of a chain may
// add its own, and the first is what the browser used. A client that makes one up
// spoils nobody's requests but its own.
func forwardedProto(h http.Header) string {
	protos := strings.Split(strings.Join(h.Values("X-Forwarded-Proto"), ","), ",")
	for _, proto := range append(protos, forwardedParam(h, "proto")...) {
		if proto = strings.TrimSpace(proto); proto != "" {
			return strings.ToLower(proto)
		}
	}
	return ""
}

// forwardedParam returns one parameter of each element of Forwarded (RFC 7239), ""
// where an element lacks it. It returns nothing of a header that breaks the syntax: a
// quote that a client left open would swallow the element of the proxy behind it.
func forwardedParam(h http.Header, name string) []string {
	rest := strings.Join(h.Values("Forwarded"), ",")
	var found []string
	for rest != "" {
		value, after, ok := forwardedElement(rest, name)
		if !ok {
			return nil
		}
		found, rest = append(found, value), after
	}
	return found
}

// forwardedElement reads one element: pairs separated by semicolons, and the comma that
// may follow. The last of several pairs of the name counts.
func forwardedElement(s, name string) (value, rest string, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t")
		key, v, after, ok := forwardedPair(s)
		if !ok {
			return "", "", false
		}
		if strings.EqualFold(key, name) {
			value = v
		}
		s = strings.TrimLeft(after, " \t")
		switch {
		case s == "":
			return value, "", true
		case s[0] == ',':
			return value, s[1:], true
		case s[0] != ';':
			return "", "", false
		}
		s = s[1:]
	}
}

// forwardedPair reads name=value, where the value is a token or quoted. An empty pair is
// one without a name.
func forwardedPair(s string) (key, value, rest string, ok bool) {
	if s == "" || s[0] == ',' || s[0] == ';' {
		return "", "", s, true
	}
	key, rest, ok = strings.Cut(s, "=")
	if !ok || strings.ContainsAny(key, ",;\" \t") {
		return "", "", "", false
	}
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = quotedString(rest[1:])
		return key, value, rest, ok
	}
	end := strings.IndexAny(rest, ",; \t\"=")
	if end < 0 {
		end = len(rest)
	}
	return key, rest[:end], rest[end:], true
}

// quotedString reads to the quote that ends it.
func quotedString(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false
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
