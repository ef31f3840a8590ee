package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"fechatter/chat"
	"fechatter/security"
)

// Hosts are the names under which a listener answers. A page whose name an attacker
// lets resolve to this machine (DNS rebinding) is of the same origin as the answers to
// that name, so they are refused. An address cannot be rebound, and localhost is resolved
// by nobody: both always pass. The zero value answers under every name.
type Hosts struct{ names map[string]bool }

// NewHosts returns the hosts with these names, in any case, with or without a port.
func NewHosts(names ...string) Hosts {
	h := Hosts{names: map[string]bool{}}
	for _, name := range names {
		if host, ok := hostName(name); ok {
			h.names[host] = true
		}
	}
	return h
}

// Answers reports whether host, the header of a request, is a name of the listener.
func (h Hosts) Answers(host string) bool {
	if h.names == nil {
		return true
	}
	name, ok := hostName(host)
	if !ok {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return h.names[name] || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// hostName returns the name or address in host[:port], in lower case and without the
// dot of the root. The port does not matter: whoever owns a name owns its ports.
func hostName(host string) (string, bool) {
	name := host
	if strings.Contains(host, ":") && !strings.HasSuffix(host, "]") {
		var port string
		var err error
		if name, port, err = net.SplitHostPort(host); err != nil || strings.Trim(port, "0123456789") != "" {
			return "", false
		}
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		name = strings.TrimSuffix(inner, "]")
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return name, name != ""
}

// ownHost refuses requests for a name that is not this server's. What machines ask to
// see whether the node lives is answered under any name: balancers use their own.
func (s *Server) ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hosts.Answers(r.Host) && !isProbe(r.URL.Path) {
			s.note(caller{at: s.client(r)}, security.Entry{Event: security.HostRefused, Detail: r.Host})
			refuse(w, r, newProblem(http.StatusMisdirectedRequest, chat.BadRequest,
				"this server is not known by this name: use the address "+s.origins.public+", or add the name to allowed_hosts"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
