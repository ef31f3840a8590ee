package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// acmeProtocol is asked for by an authority that checks a name (TLS-ALPN-01, RFC 8737).
const acmeProtocol = "acme-tls/1"

// noEmail is no address, for an account without one: with an empty one certmagic would ask
// whoever is at the terminal, and wait.
const noEmail = " "

const (
	// acmePerAttempt bounds an attempt to get a certificate.
	acmePerAttempt = 5 * time.Minute
	// renewEvery is how often a node checks whether the certificate is to be renewed, or
	// was by another node.
	renewEvery = 10 * time.Minute
	// certificateFolder and certificateDatabase are the values of acme_storage.
	certificateFolder, certificateDatabase = "folder:", "database"
)

// acmeWaits returns how long to wait after failed attempts: authorities allow a name some
// five failures an hour.
func acmeWaits() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}
}

// acme gets a certificate for one name from an authority and renews it. Certificates are
// kept in a storage; nodes that share it share them.
type acme struct {
	host   string
	log    *slog.Logger
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer
	waits  []time.Duration
	store  *certificateStorage // nil: the storage is a folder
	once   sync.Once           // of Close
}

// acmeTuning is what tests set otherwise.
type acmeTuning struct {
	renewEvery time.Duration
	ratio      float64 // of a certificate's life that is left when it is renewed; 0: by the authority's advice
	waits      []time.Duration
}

// tuned returns what holds outside of tests.
func tuned() acmeTuning { return acmeTuning{renewEvery: renewEvery, waits: acmeWaits()} }

// openACME prepares to get certificates. It sends nothing yet.
func (n *Node) openACME(log *slog.Logger) (*acme, error) {
	c := n.config.ACME
	roots, err := authorities(c.CA)
	if err != nil {
		return nil, fmt.Errorf("acme_ca: %w", err)
	}
	a := &acme{host: n.config.publicHost(), log: log, waits: n.tuning.waits}
	quiet := zap.New(zapToSlog{log.Handler()})
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		RenewCheckInterval: n.tuning.renewEvery,
		Logger:             quiet,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		DefaultServerName:  a.host, // of clients that name none, such as probes by address
		RenewalWindowRatio: n.tuning.ratio,
		DisableARI:         n.tuning.ratio > 0,
		OnEvent:            a.note,
		Logger:             quiet,
		Storage:            n.certificateStorage(a),
	})
	listenHost, _, _ := net.SplitHostPort(n.config.Listen)
	a.issuer = certmagic.NewACMEIssuer(a.magic, certmagic.ACMEIssuer{
		CA: c.Directory, Email: cmp.Or(c.Email, noEmail), Agreed: true, TrustedRoots: roots,
		ListenHost: listenHost, AltTLSALPNPort: portOf(n.public), AltHTTPPort: portOf(n.plain),
		DisableHTTPChallenge: n.plain == nil,
		CertObtainTimeout:    acmePerAttempt, Logger: quiet,
	})
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

func (n *Node) certificateStorage(a *acme) certmagic.Storage {
	if folder, ok := strings.CutPrefix(n.config.ACME.Storage, certificateFolder); ok {
		return &certmagic.FileStorage{Path: folder}
	}
	a.store = newCertificateStorage(n.parts.store, newID())
	return a.store
}

func portOf(l net.Listener) int {
	if l == nil {
		return 0
	}
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0
	}
	return at.Port
}

// authorities reads a file of certificates, nil for the system's if there is none.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

// Run loads the certificate, or gets it, however long that takes; then it is renewed
// beside what runs here. Renewals end with the cache.
func (a *acme) Run(ctx context.Context) error {
	defer a.Close()
	for failures := 0; ; failures++ {
		err := a.manage(ctx)
		if err == nil {
			a.log.Info("the certificate is in use", "name", a.host, "ends", a.Leaf().NotAfter)
			<-ctx.Done()
			return nil
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopping on request is no failure
		}
		wait := a.waits[min(failures, len(a.waits)-1)]
		a.log.Warn("there is no certificate; trying again", "name", a.host, "in", wait, "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// manage is done when a certificate is in use. One that was loaded and cannot be renewed
// at this moment is: the cache tries again.
func (a *acme) manage(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*acmePerAttempt)
	defer cancel()
	err := a.magic.ManageSync(ctx, []string{a.host})
	if err != nil && a.Leaf() != nil {
		a.log.Warn("the certificate cannot be renewed now; the one before stays in use", "name", a.host, "error", err)
		return nil
	}
	if err == nil && a.Leaf() == nil {
		return errNoCertificate
	}
	return err
}

// Close implements certificates.
func (a *acme) Close() {
	a.once.Do(func() {
		a.cache.Stop()
		if a.store != nil {
			a.store.close()
		}
	})
}

// note tells the operator what became of a certificate.
func (a *acme) note(_ context.Context, event string, data map[string]any) error {
	switch event {
	case "cert_obtained":
		a.log.Info("got a certificate", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		a.log.Warn("did not get a certificate", "name", data["identifier"], "renewal", data["renewal"], "error", data["error"])
	}
	return nil
}

// challenges answers an authority that checks the name by HTTP-01 and leaves the rest to
// next.
func (a *acme) challenges(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

// GetCertificate implements certificates. It is never the reason to get one.
func (a *acme) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.magic.GetCertificate(hello)
}

// Protocols implements certificates.
func (a *acme) Protocols() []string { return []string{acmeProtocol} }

// Leaf implements certificates.
func (a *acme) Leaf() (latest *x509.Certificate) {
	for _, c := range a.cache.AllMatchingCertificates(a.host) {
		if c.Leaf != nil && (latest == nil || c.Leaf.NotAfter.After(latest.NotAfter)) {
			latest = c.Leaf
		}
	}
	return latest
}

var errShared = errors.New("acme_storage: nodes that share a bus must share their certificates, or each would ask the authority for its own, " +
	"and none could answer what it asks of another; set acme_storage to database")
