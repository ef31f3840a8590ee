package app

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"fechatter/server"
)

// adminHandler serves what only the operator may see: metrics, the state of the parts
// and, if asked for, profiles.
func adminHandler(c Config, metrics, probes http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.Handle("GET /livez", probes)
	mux.Handle("GET /readyz", probes)
	if c.AdminPprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return adminHosts(c, adminToken(c.AdminToken, mux))
}

// adminHosts refuses requests for a name that is not the listener's: a page that an
// operator opens could have its own name resolve to this address (DNS rebinding).
func adminHosts(c Config, next http.Handler) http.Handler {
	names := slices.Clone(c.AllowedHosts)
	if host, _, err := net.SplitHostPort(c.AdminListen); err == nil {
		names = append(names, host)
	}
	hosts := server.NewHosts(names...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !hosts.Answers(r.Host) {
			http.Error(w, "this listener is not known by this name: use its address, or add the name to allowed_hosts", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// adminToken asks for a bearer token, unless it is empty. Hashes of one length are
// compared, so that the time tells neither its letters nor how many it has.
func adminToken(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(given))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "this listener needs the token of admin_token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
