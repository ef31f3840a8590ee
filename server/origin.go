package server

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fechatter/chat"
)

// origins are those whose pages may use the server.
type origins struct {
	public  string          // normalized, or ""
	allowed map[string]bool // normalized, public included
	cross   *http.CrossOriginProtection
}

func newOrigins(publicURL string, allowed []string) (origins, error) {
	o := origins{allowed: map[string]bool{}, cross: http.NewCrossOriginProtection()}
	if publicURL != "" {
		public, ok := normalOrigin(publicURL)
		if !ok {
			return o, fmt.Errorf("public_url %q is not scheme://host[:port]", publicURL)
		}
		o.public = public
		allowed = append([]string{publicURL}, allowed...)
	}
	for _, a := range allowed {
		origin, ok := normalOrigin(a)
		if !ok {
			return o, fmt.Errorf("allowed origin %q is not scheme://host[:port]", a)
		}
		o.allowed[origin] = true
		if err := o.cross.AddTrustedOrigin(origin); err != nil {
			return o, fmt.Errorf("allowed origin %q: %w", a, err)
		}
	}
	return o, nil
}

// hosts returns the names of the server: those of public_url, of the allowed origins and
// others. Without a public_url it has any.
func (o origins) hosts(others []string) Hosts {
	if o.public == "" {
		return Hosts{}
	}
	names := slices.Clone(others)
	for origin := range o.allowed {
		_, host, _ := strings.Cut(origin, "://")
		names = append(names, host)
	}
	return NewHosts(names...)
}

// secure reports whether browsers reach the server by https.
func (o origins) secure() bool { return strings.HasPrefix(o.public, "https:") }

// normalOrigin brings an origin to the form that browsers send: lower case, no
// default port, no path; and without the dot of the root, which names the same host.
func normalOrigin(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return "", false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	switch {
	case port == "", u.Scheme == "http" && port == "80", u.Scheme == "https" && port == "443":
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	default:
		host = net.JoinHostPort(host, port)
	}
	return u.Scheme + "://" + host, true
}

// originAllowed reports whether the page that sent a request may use the server. An
// absent Origin passes, for only browsers send one; otherwise scheme, host and port
// must be those of public_url or of an allowed origin. Only without a public_url may they
// be those of the request's own host, which anybody can choose who owns a name.
func (s *Server) originAllowed(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	origin, ok := normalOrigin(values[0])
	if !ok || len(values) > 1 {
		return false
	}
	if s.origins.public != "" || s.origins.allowed[origin] {
		return s.origins.allowed[origin]
	}
	own, ok := normalOrigin(s.scheme(r) + "://" + r.Host)
	return ok && origin == own
}

// crossOrigin refuses what another site's page makes a browser send. It checks the
// Origin and, if the browser sends it, Sec-Fetch-Site. Without the latter,
// CrossOriginProtection would compare Origin and Host as plain text; originAllowed
// does better.
func (s *Server) crossOrigin(r *http.Request) error {
	if isSafe(r.Method) {
		return nil
	}
	fetches := r.Header.Get("Sec-Fetch-Site") != ""
	if s.originAllowed(r) && (!fetches || s.origins.cross.Check(r) == nil) {
		return nil
	}
	return chat.Errorf(chat.Forbidden, "the request comes from a page of another origin")
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
