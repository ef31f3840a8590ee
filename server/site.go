package server

import (
	"net/http"
	"net/netip"
	"strings"

	"fechatter/chat"
)

// site is what passkeys made over a request are bound to: the name in public_url, or
// without one that of the request, whatever it is: a browser offers a passkey to its own
// name only. An address is no name; no passkey can be bound to it.
func (s *Server) site(r *http.Request) chat.Site {
	own := s.origins.public
	if own == "" {
		own, _ = normalOrigin(s.scheme(r) + "://" + r.Host)
	}
	_, host, _ := strings.Cut(own, "://")
	name, ok := hostName(host)
	if _, err := netip.ParseAddr(name); !ok || err == nil {
		return chat.Site{}
	}
	site := chat.Site{Name: name, Origins: []string{own}}
	for origin := range s.origins.allowed {
		_, host, _ := strings.Cut(origin, "://")
		if other, ok := hostName(host); ok && origin != own && (other == name || strings.HasSuffix(other, "."+name)) {
			site.Origins = append(site.Origins, origin)
		}
	}
	return site
}
