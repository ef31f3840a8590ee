package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fechatter/hub"
)

// acmeTLS is the value of tls by which the node gets its certificate itself.
const acmeTLS = "acme"

// certificates is where the public listener's certificate comes from. Its methods but
// Run may be called concurrently.
type certificates interface {
	// Run keeps the certificate up to date until ctx ends.
	Run(ctx context.Context) error
	// GetCertificate answers a client that begins a connection.
	GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	// Leaf returns the certificate in use, nil while there is none.
	Leaf() *x509.Certificate
	// Close releases what opening it acquired, if Run has not.
	Close()
	// Protocols are those that a client may ask for, besides HTTP's.
	Protocols() []string
}

// servesTLS reports whether the node speaks TLS. Settings that were not read but made have
// an empty tls.
func (c Config) servesTLS() bool { return c.TLS != "" && c.TLS != off }

// certificateFiles returns the files that tls names, if it names any.
func (c Config) certificateFiles() (cert, key string, ok bool) {
	cert, key, ok = strings.Cut(c.TLS, ",")
	return strings.TrimSpace(cert), strings.TrimSpace(key), ok
}

// publicHost returns the name in public_url, without a port.
func (c Config) publicHost() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// openTLS opens what tls asks for: where the certificate comes from, and the listener
// that redirects. The public listener is open already.
func (n *Node) openTLS(ctx context.Context) (err error) {
	if !n.config.servesTLS() {
		return nil
	}
	if at := n.config.redirectAddress(); at != "" {
		var listener net.ListenConfig
		if n.plain, err = listener.Listen(ctx, "tcp", at); err != nil {
			return fmt.Errorf("redirect_listen: %w", err)
		}
	}
	log := n.log.With("part", "certificate")
	if cert, key, ok := n.config.certificateFiles(); ok {
		p, err := openPair(cert, key, n.config.publicHost(), log)
		if err != nil {
			return err
		}
		n.certificates = p
		return nil
	}
	a, err := n.openACME(log)
	if err != nil {
		return err
	}
	n.certificates, n.challenges = a, a.challenges
	return nil
}

// secure makes srv speak TLS on connections of l, and returns how to serve them. A
// handshake has the time of a request's header; until it ends the socket is a stranger's.
func (n *Node) secure(srv *http.Server, l net.Listener) func() error {
	if n.certificates == nil {
		return func() error { return srv.Serve(l) }
	}
	srv.TLSConfig = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: n.certificates.GetCertificate,
		NextProtos:     n.certificates.Protocols(),
	}
	return func() error { return srv.ServeTLS(hub.BeneathTLS(l), "", "") }
}

// tlsParts are the parts that TLS needs.
func (n *Node) tlsParts() (parts []part) {
	if n.certificates != nil {
		parts = append(parts, part{"certificate", n.certificates.Run})
	}
	if n.plain != nil {
		h := redirect(n.config.PublicURL)
		if n.challenges != nil {
			h = n.challenges(h)
		}
		parts = append(parts, part{"redirect", func(ctx context.Context) error { return serveRedirect(ctx, n.plain, h, n.log) }})
	}
	return parts
}

// watchCertificate has health and metrics look at the certificate.
func (n *Node) watchCertificate() {
	if n.certificates == nil {
		return
	}
	read := func() expiry { return expiryOf(n.certificates.Leaf()) }
	n.health.certificate = read
	n.metrics.registry.MustRegister(collector[expiry]{read, []series[expiry]{
		gauge("fechatter_certificate_expiry_timestamp_seconds", "When the certificate of the public listener ends, in seconds since 1970; 0 while there is none.", expiry.seconds),
	}})
}

// expiry is what is known of the certificate in use.
type expiry struct {
	none bool // there is no certificate
	from time.Time
	end  time.Time
}

func expiryOf(leaf *x509.Certificate) expiry {
	if leaf == nil {
		return expiry{none: true}
	}
	return expiry{from: leaf.NotBefore, end: leaf.NotAfter}
}

// expiryWarning is how long before the end of a certificate health warns. Those that live
// for a short time are renewed within the last third, and warned of within the last quarter.
const expiryWarning = 14 * 24 * time.Hour

// warns returns from when health warns.
func (e expiry) warns() time.Time {
	before := expiryWarning
	if life := e.end.Sub(e.from); life < 3*expiryWarning {
		before = min(before, life/4)
	}
	return e.end.Add(-before)
}

// check returns what is wrong at a moment, nil if nothing is.
func (e expiry) check(now time.Time) error {
	switch {
	case e.none:
		return errNoCertificate
	case now.After(e.end):
		return fmt.Errorf("the certificate ended at %s", e.end.UTC().Format(time.DateTime))
	case now.After(e.warns()):
		return fmt.Errorf("the certificate ends at %s", e.end.UTC().Format(time.DateTime))
	}
	return nil
}

// seconds returns when it ends, 0 if there is none.
func (e expiry) seconds() float64 {
	if e.none {
		return 0
	}
	return float64(e.end.Unix())
}
