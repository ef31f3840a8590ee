package app

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/app/pebbletest"
	"fechatter/server"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.all.String(), text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// certified is a node that gets its certificate from an authority of the test's.
type certified struct {
	t     *testing.T
	ca    *pebbletest.Server
	host  string // of its own: what certmagic knows of names is the process's
	roots *x509.CertPool
	c     Config
	node  *Node
	stop  func()
	log   lines
}

func newCertified(t *testing.T, host string, validity time.Duration) *certified {
	t.Helper()
	ca, err := pebbletest.Start(t.Context(), validity)
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceValue(ca.Stop)
	t.Cleanup(func() { _ = stop() })
	n := &certified{t: t, ca: ca, host: host, roots: x509.NewCertPool(), c: nodeSettings(t)}
	n.roots.AppendCertsFromPEM(ca.Root())
	n.c.PublicURL, n.c.TLS = "https://"+host, acmeTLS
	n.c.ACME.Directory, n.c.ACME.CA = ca.Directory(), filepath.Join(t.TempDir(), "ca.pem")
	write(t, n.c.ACME.CA, ca.CA())
	return n
}

// open runs the node. Waits after failures are short; the rest is as given.
func (n *certified) open(tuning acmeTuning) {
	n.t.Helper()
	tuning.waits = []time.Duration{50 * time.Millisecond}
	var err error
	n.node, err = open(n.t.Context(), n.c, "test", slog.New(slog.NewTextHandler(&n.log, nil)), tuning)
	if err != nil {
		n.t.Fatal(err)
	}
	n.stop = running(n.t, n.node)
}

// check has the authority check the name where the node listens.
func (n *certified) check() { n.ca.Check(portOf(n.node.plain), portOf(n.node.public)) }

// served returns the certificate that a browser gets, nil if it gets none that it trusts.
func (n *certified) served() *x509.Certificate {
	conn, err := tls.Dial("tcp", n.node.public.Addr().String(), &tls.Config{RootCAs: n.roots, ServerName: n.host})
	if err != nil {
		return nil
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

func (n *certified) await(what string, ok func(*x509.Certificate) bool) *x509.Certificate {
	n.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if got := n.served(); got != nil && ok(got) {
			return got
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("no certificate %s; log:\n%s", what, &n.log)
		}
	}
}

func anyone(*x509.Certificate) bool { return true }

// closed is a port on which nobody listens.
const closed = 1

// Either way of checking the name is enough.
func TestACMEChecksTheNameEitherWay(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(n *certified) (check func()){
		"HTTP-01": func(n *certified) func() {
			return func() { n.ca.Check(portOf(n.node.plain), closed) }
		},
		"TLS-ALPN-01": func(n *certified) func() {
			return func() { n.ca.Check(closed, portOf(n.node.public)) }
		},
		"TLS-ALPN-01 without a port for HTTP": func(n *certified) func() {
			n.c.RedirectListen = noRedirect
			return func() { n.ca.Check(closed, portOf(n.node.public)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newCertified(t, strings.ToLower(strings.ReplaceAll(name, " ", "-"))+".example.org", 90*24*time.Hour)
			check := prepare(n)
			n.open(tuned())
			check()
			got := n.await("was got", anyone)
			if len(got.DNSNames) != 1 || got.DNSNames[0] != n.host {
				t.Errorf("it is for %v", got.DNSNames)
			}
			eventually(t, func() bool { return partOf(n.node.health, "certificate").Status == server.Pass })
			browser := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: n.roots, ServerName: n.host}}}
			if res := ask(t, browser, http.MethodGet, "https://"+n.node.public.Addr().String()+"/livez"); res.StatusCode != http.StatusOK {
				t.Errorf("answered %s", res.Status)
			}
		})
	}
}

// A certificate is renewed while it is valid and replaced for new connections; when the
// authority is away, the last one goes on, after a restart too.
func TestACMERenewsAndSurvivesItsAuthority(t *testing.T) {
	t.Parallel()
	for storage, host := range map[string]string{certificateDatabase: "renewed.example.org", certificateFolder: "filed.example.org"} {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			n := newCertified(t, host, time.Hour)
			if storage == certificateFolder {
				storage += t.TempDir()
			}
			n.c.ACME.Storage = storage
			soon := acmeTuning{renewEvery: 100 * time.Millisecond, ratio: 0.9999} // a third of a second after it was issued
			n.open(soon)
			n.check()
			first := n.await("was got", anyone)
			n.await("was renewed", func(c *x509.Certificate) bool { return c.SerialNumber.Cmp(first.SerialNumber) != 0 })
			if err := n.ca.Stop(); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool { return n.log.has("did not get a certificate") })
			last := n.await("is left while the authority is away", anyone)
			n.stop()
			n.open(soon)
			again := n.await("is left after a restart", anyone)
			if again.SerialNumber.Cmp(last.SerialNumber) != 0 && again.NotBefore.Before(last.NotBefore) {
				t.Error("an older one is in use")
			}
		})
	}
}

// A node whose authority is away runs without a certificate, says so, and gets one when the
// authority is back.
func TestACMEAwayAtTheStart(t *testing.T) {
	t.Parallel()
	n := newCertified(t, "late.example.org", 90*24*time.Hour)
	n.open(tuned())
	n.ca.Check(closed, closed)
	eventually(t, func() bool { return n.log.has("there is no certificate; trying again") })
	eventually(t, func() bool { return partOf(n.node.health, "certificate").Status == server.Warn })
	if n.served() != nil {
		t.Error("there is a certificate all the same")
	}
	if res := raw(t, n.node.plain.Addr().String(), "GET /x HTTP/1.1\r\nHost: "+n.host+"\r\n\r\n"); res.Header.Get("Location") != "https://"+n.host+"/x" {
		t.Errorf("not redirected: %s", res.Status)
	}
	n.check()
	n.await("was got", anyone)
}

// A node that starts when its certificate is due and the authority is away uses what it has.
func TestACMEStartsWithAnOldCertificate(t *testing.T) {
	t.Parallel()
	n := newCertified(t, "due.example.org", time.Hour)
	n.open(tuned())
	n.check()
	first := n.await("was got", anyone)
	n.stop()
	if err := n.ca.Stop(); err != nil {
		t.Fatal(err)
	}
	n.open(acmeTuning{renewEvery: time.Hour, ratio: 0.9999}) // due at once
	eventually(t, func() bool { return n.log.has("the one before stays in use") })
	if again := n.await("is left", anyone); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("it is another one")
	}
}

// A start is refused if the file that verifies the authority cannot be used.
func TestACMEWithoutItsFileEndsTheStart(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"no.pem": "acme_ca: open no.pem", "tls_acme_test.go": "acme_ca: tls_acme_test.go holds no certificate in PEM"} {
		c := nodeSettings(t)
		c.TLS, c.ACME.CA = acmeTLS, file
		if _, err := Open(t.Context(), c, "test", quiet()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open: %v; want %s", err, want)
		}
	}
}
