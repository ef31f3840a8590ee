package server

import (
	"net/http"
	"strings"
)

// What pages of allowed origins may send and read besides what browsers let them anyway.
const (
	corsMethods = "GET, POST, PUT, PATCH, DELETE"
	corsSends   = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, " + userHeader
	corsReads   = "Idempotent-Replayed, Retry-After, " + requestIDHeader
	corsMaxAge  = "600" // seconds for which a browser need not ask again
)

// shared lets pages of allowed origins read what the API answers. Credentials are not among
// what it allows: a browser then shows no answer to a request with cookies, and such pages log
// in by Authorization.
func (s *Server) shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin, foreign := s.foreignOrigin(r)
		if !foreign {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", corsMethods)
			h.Set("Access-Control-Allow-Headers", corsSends)
			h.Set("Access-Control-Max-Age", corsMaxAge)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.Set("Access-Control-Expose-Headers", corsReads)
		next.ServeHTTP(w, r)
	})
}

// foreignOrigin returns the origin of a page elsewhere that may use the API, as the browser
// has written it.
func (s *Server) foreignOrigin(r *http.Request) (origin string, ok bool) {
	values := r.Header.Values("Origin")
	if len(values) != 1 || !strings.HasPrefix(r.URL.Path, v1+"/") {
		return "", false
	}
	normal, ok := normalOrigin(values[0])
	return values[0], ok && normal != s.origins.public && s.origins.allowed[normal]
}
