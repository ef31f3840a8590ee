package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"fechatter/door"
	"fechatter/server"
)

const (
	// redirectSockets is how many sockets the listener that redirects has, and
	// redirectPerAddress how many of them one address may hold: an answer is short.
	redirectSockets    = 64
	redirectPerAddress = 16
	// redirectTime bounds a request there.
	redirectTime = 5 * time.Second
	// noRedirect is the value of redirect_listen that opens none.
	noRedirect = off
)

// redirectAddress returns where plain HTTP is redirected, "" for nowhere.
func (c Config) redirectAddress() string {
	switch {
	case c.RedirectListen == noRedirect, c.RedirectListen == "" && c.TLS != acmeTLS:
		return ""
	case c.RedirectListen != "":
		return c.RedirectListen
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return ""
	}
	return net.JoinHostPort(host, "80")
}

// redirect sends browsers to the same path under public, an origin, whatever name they
// came by. What is not safe to repeat is refused: its secrets have crossed the network.
func redirect(public string) http.Handler {
	public = strings.TrimRight(public, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Connection", "close")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "use "+public, http.StatusForbidden)
			return
		}
		path := r.URL.EscapedPath()
		if !strings.HasPrefix(path, "/") {
			path = "/" + path // of a request whose target is no path
		}
		if r.URL.RawQuery != "" {
			path += "?" + r.URL.RawQuery
		}
		h.Set("Location", public+path)
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}

// serveRedirect serves l until ctx ends.
func serveRedirect(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := newHTTPServer(door.Handler(h), log)
	srv.ReadHeaderTimeout, srv.ReadTimeout, srv.WriteTimeout, srv.IdleTimeout = redirectTime, redirectTime, redirectTime, redirectTime
	places := door.New(door.Config{Places: redirectSockets, PerAddress: redirectPerAddress, Address: server.AddressOf})
	return serveUntil(ctx, srv, func() error { return srv.Serve(places.Listen(l)) }, l.Addr())
}
