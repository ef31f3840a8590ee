package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	// pairEvery is how often the files of a certificate are looked at.
	pairEvery = 10 * time.Second
	// pairBytes bounds each of them; a chain has a few thousand.
	pairBytes = 1 << 20
)

var errNoCertificate = errors.New("there is no certificate yet")

// pair is a certificate in files, read again when they change. Both are taken over at
// once, and only if they belong together.
type pair struct {
	cert, key string // files
	host      string
	log       *slog.Logger
	used      atomic.Pointer[tls.Certificate]

	// Of Run.
	seen    [2]stamp
	refused string // what was wrong with the files at the last look, "" if nothing
}

// stamp tells a file from what it was.
type stamp struct {
	size    int64
	changed time.Time
}

// openPair reads the files. An error names the one that cannot be used.
func openPair(cert, key, host string, log *slog.Logger) (*pair, error) {
	p := &pair{cert: cert, key: key, host: host, log: log}
	p.seen = p.stamps()
	c, err := readPair(cert, key, host)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	p.used.Store(c)
	if err := expiryOf(c.Leaf).check(time.Now()); err != nil {
		log.Warn("the certificate must be replaced", "file", cert, "error", err)
	}
	return p, nil
}

// Run looks at the files until ctx ends.
func (p *pair) Run(ctx context.Context) error {
	return every(ctx, pairEvery, p.look)
}

// look takes over what has changed. Files that cannot be used are read again at each look:
// whoever replaces them may do so one after the other.
func (p *pair) look() {
	now := p.stamps()
	if now == p.seen && p.refused == "" {
		return
	}
	c, err := readPair(p.cert, p.key, p.host)
	if err == nil {
		err = worseThan(c.Leaf, p.Leaf(), time.Now())
	}
	p.seen = now
	if err != nil {
		p.refuse(err)
		return
	}
	p.refused = ""
	p.used.Store(c)
	p.log.Info("took over the new certificate", "file", p.cert, "ends", c.Leaf.NotAfter)
}

// refuse keeps the old certificate, and says why once.
func (p *pair) refuse(err error) {
	if reason := err.Error(); reason != p.refused {
		p.refused = reason
		p.log.Warn("the new certificate cannot be used; the one before stays in use", "error", err)
	}
}

// worseThan refuses a certificate that has ended, or has not begun, while the one in use
// is valid.
func worseThan(next, used *x509.Certificate, now time.Time) error {
	switch {
	case now.After(used.NotAfter):
		return nil
	case now.After(next.NotAfter):
		return fmt.Errorf("the new one ended at %s", next.NotAfter.UTC().Format(time.DateTime))
	case now.Before(next.NotBefore):
		return fmt.Errorf("the new one begins at %s", next.NotBefore.UTC().Format(time.DateTime))
	}
	return nil
}

func (p *pair) stamps() (s [2]stamp) {
	for i, file := range []string{p.cert, p.key} {
		if info, err := os.Stat(file); err == nil {
			s[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return s
}

func readPair(cert, key, host string) (*tls.Certificate, error) {
	chain, err := readPEM(cert)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	secret, err := readPEM(key)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	c, err := tls.X509KeyPair(chain, secret)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", cert, key, err)
	}
	if err := c.Leaf.VerifyHostname(host); err != nil {
		return nil, fmt.Errorf("certificate %s is not for the name in public_url: %w", cert, err)
	}
	return &c, nil
}

func readPEM(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, pairBytes+1))
	if err == nil && len(text) > pairBytes {
		err = fmt.Errorf("%s has more than %d bytes", file, pairBytes)
	}
	return text, err
}

// GetCertificate implements certificates.
func (p *pair) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return p.used.Load(), nil
}

// Leaf implements certificates.
func (p *pair) Leaf() *x509.Certificate { return p.used.Load().Leaf }

// Close implements certificates: the files are open only while they are read.
func (*pair) Close() {}

// Protocols implements certificates.
func (p *pair) Protocols() []string { return nil }
