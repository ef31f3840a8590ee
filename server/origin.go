package server

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"fechatter/chat"
)

// origins knows whose pages may use the server.
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

// secure says whether browsers reach the server by https.
func (o origins) secure() bool { return strings.HasPrefix(o.public, "https:") }

// normalOrigin brings an origin to the form that browsers send: lower case, no
// default port, no path.
func normalOrigin(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
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

// originAllowed says whether the page that sends a request may: no Origin passes,
// for only browsers send one; else scheme, host and port must be those of
// public_url, of the request's own host, or of an allowed origin.
func (s *Server) originAllowed(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	origin, ok := normalOrigin(values[0])
	if !ok || len(values) > 1 {
		return false
	}
	own, ok := normalOrigin(s.scheme(r) + "://" + r.Host)
	return ok && origin == own || s.origins.allowed[origin]
}

// crossOrigin refuses what another site's page makes a browser send: it asks the
// Origin and, of browsers that send it, their own word (Sec-Fetch-Site). Without
// that word CrossOriginProtection would compare the Origin to the Host by letters;
// originAllowed does it better.
func (s *Server) crossOrigin(r *http.Request) error {
	if isSafe(r.Method) {
		return nil
	}
	told := r.Header.Get("Sec-Fetch-Site") != ""
	if s.originAllowed(r) && (!told || s.origins.cross.Check(r) == nil) {
		return nil
	}
	return chat.Errorf(chat.Forbidden, "this request comes from a page of another origin")
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
