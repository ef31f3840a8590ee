package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fechatter/app/pebbletest"
	"fechatter/e2e/cluster"
	"fechatter/persistence/postgrestest"
)

// Nodes on one database get one certificate. One of them orders it, the other answers the
// authority that checks the name there: what the first was asked is in the database.
func TestNodesShareACertificate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	postgres, err := postgrestest.Start(t.Context())
	if errors.Is(err, postgrestest.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip("not tested: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Stop() })
	database, err := postgres.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := pebbletest.Start(t.Context(), 90*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ca.Stop() })
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trusted, ca.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.Root())

	first := startSecure(t, database, ca.Directory(), trusted)
	eventually(t, "ordering", func() bool { return strings.Contains(first.log.String(), "obtaining certificate") }) // and held by the authority
	second := startSecure(t, database, ca.Directory(), trusted)
	eventually(t, "listening", func() bool { return second.dials() })
	ca.Check(second.port(t, second.plain), second.port(t, second.at)) // where only the second is

	serials := map[string]bool{}
	for _, n := range []*secureNode{first, second} {
		eventually(t, "certified", func() bool {
			conn, err := tls.Dial("tcp", n.at, &tls.Config{RootCAs: roots, ServerName: sharedHost})
			if err != nil {
				return false
			}
			defer conn.Close()
			serials[conn.ConnectionState().PeerCertificates[0].SerialNumber.String()] = true
			return true
		})
	}
	if len(serials) != 1 {
		t.Errorf("there are %d certificates", len(serials))
	}
	if got := strings.Count(first.log.String()+second.log.String(), "got a certificate"); got != 1 {
		t.Errorf("%d orders", got)
	}
}

const sharedHost = "shared.example.org"

// secureNode is a node that gets its certificate itself.
type secureNode struct {
	at, plain string
	log       *cluster.Output
}

func startSecure(t *testing.T, database, directory, trusted string) *secureNode {
	t.Helper()
	n := &secureNode{at: freeAddress(t), plain: freeAddress(t), log: &cluster.Output{}}
	cmd := exec.Command(program)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "FECHATTER_LISTEN="+n.at, "FECHATTER_REDIRECT_LISTEN="+n.plain, "FECHATTER_ADMIN_LISTEN=",
		"FECHATTER_DATABASE="+database, "FECHATTER_TLS=acme", "FECHATTER_PUBLIC_URL=https://"+sharedHost,
		"FECHATTER_ACME_DIRECTORY="+directory, "FECHATTER_ACME_CA="+trusted, "FECHATTER_LOG_LEVEL=debug")
	cmd.Stdout, cmd.Stderr = n.log, n.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("log of %s:\n%s", n.at, n.log)
		}
	})
	return n
}

func (n *secureNode) dials() bool {
	conn, err := net.Dial("tcp", n.at)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func (n *secureNode) port(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
