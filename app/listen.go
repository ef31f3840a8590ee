package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// drainTime is how long clients have to move to another node.
	drainTime = 8 * time.Second
	// shutdownTime is how long a REST answer may still take after that.
	shutdownTime = 3 * time.Second
)

// newHTTPServer bounds what a client may take before it is anybody. Upgraded
// connections leave these deadlines behind.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		// OPTIONS * is answered like everything that is not there, with the header of all answers.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// servePublic serves l until ctx ends, then leaves in order: unready, so that the
// balancer looks away; then the live connections are asked to move; then the
// requests under way are answered.
func (n *Node) servePublic(ctx context.Context, l net.Listener) error {
	srv := newHTTPServer(n.server.Handler(), n.log)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
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
	srv := newHTTPServer(h, log)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
		return shutdown(ctx, srv)
	}
}

// shutdown answers what is under way, and closes what is not answered in time.
func shutdown(ctx context.Context, srv *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return srv.Close()
	}
	return err
}

// waitFor waits for d, or until the listener has failed: then nobody comes. It
// answers that error.
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
