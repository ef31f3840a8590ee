package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"fechatter/door"
)

const (
	// drainTime is how long clients have to move to another node.
	drainTime = 8 * time.Second
	// shutdownTime is how long a REST answer may take after that.
	shutdownTime = 3 * time.Second
)

// newHTTPServer bounds what a client may use before it has logged in. The deadlines
// do not apply to upgraded connections; for a body there are 15 s after its header.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	// HTTP/2 would hide many requests behind one socket.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		ConnContext:       door.Context,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       25 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		// OPTIONS * is answered like any unknown path, with the headers of all answers.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// servePublic serves l until ctx ends, and then leaves in order: it turns unready, so
// that the balancer takes the node out, asks live connections to move, and answers
// the requests in progress.
func (n *Node) servePublic(ctx context.Context, l net.Listener) error {
	srv := newHTTPServer(n.server.Handler(), n.log)
	serve := n.secure(srv, n.door.Listen(l))
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	n.health.Drain()
	n.log.Info("draining", "delay", n.config.DrainDelay)
	failure := waitFor(failed, n.config.DrainDelay)
	drainCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	n.server.Drain(drainCtx)
	return errors.Join(failure, shutdown(ctx, srv))
}

// serveAdmin serves l until ctx ends.
func serveAdmin(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := newHTTPServer(door.Handler(h), log)
	places := door.New(door.Config{Places: adminSockets})
	return serveUntil(ctx, srv, func() error { return srv.Serve(places.Listen(l)) }, l.Addr())
}

// serveUntil serves by srv until ctx ends, and answers the requests in progress.
func serveUntil(ctx context.Context, srv *http.Server, serve func() error, at net.Addr) error {
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", at, err)
	case <-ctx.Done():
		return shutdown(ctx, srv)
	}
}

// shutdown answers the requests in progress, and closes those that take too long.
func shutdown(ctx context.Context, srv *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return srv.Close()
	}
	return err
}

// waitFor waits for d, or until the listener fails, after which nobody can come. It
// returns the listener's error.
func waitFor(failed <-chan error, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case err := <-failed:
		return err
	}
}
