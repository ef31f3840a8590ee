package app

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"fechatter/conform/client"
)

// nodeSettings are those of a node under chatHost with free ports.
func nodeSettings(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	c := defaults()
	c.Database, c.Search = "sqlite:"+dir+"/chat.db", "bleve:"+dir+"/search"
	c.Listen, c.AdminListen, c.DrainDelay, c.RedirectListen = "127.0.0.1:0", "", 0, "127.0.0.1:0"
	c.PublicURL, c.Registration = "https://"+chatHost, "open"
	return c
}

// tlsNode runs a node with a certificate in files; its address is by number.
func tlsNode(t *testing.T) (n *Node, a *authority, url string) {
	t.Helper()
	a = newAuthority(t)
	dir := t.TempDir()
	key := newKey(t)
	cert := a.sign(&x509.Certificate{SerialNumber: big.NewInt(7), DNSNames: []string{chatHost}, IPAddresses: loopback(),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour)}, a.cert, key)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	write(t, dir+"/key.pem", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
	c := nodeSettings(t)
	c.TLS = dir + "/cert.pem, " + dir + "/key.pem"
	if n, err = Open(t.Context(), c, "test", quiet()); err != nil {
		t.Fatal(err)
	}
	running(t, n)
	return n, a, "https://" + n.public.Addr().String()
}

// The contract is kept over TLS, WebSockets, streams and refusals included.
func TestConformOverTLS(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a while")
	}
	_, a, url := tlsNode(t)
	var out strings.Builder
	err := CheckProtocol(t.Context(), Conform{URL: url, Origin: "https://" + chatHost, CA: a.file(), Run: "an acknowledged message|one order without holes|frames have limits|check Origin|the cookie|a token resumes|health endpoints"}, &out)
	if err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	if err := CheckProtocol(t.Context(), Conform{URL: url, Run: "§7"}, io.Discard); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("with an authority that is not known: %v", err)
	}
	if err := CheckProtocol(t.Context(), Conform{URL: url, CA: "no.pem"}, io.Discard); err == nil || !strings.Contains(err.Error(), "ca: open no.pem") {
		t.Errorf("without the file: %v", err)
	}
}

// person is somebody at a node with TLS.
type person struct {
	*testing.T
	http *http.Client
}

func (p person) HTTP() *http.Client { return p.http }

func trusting(a *authority) *http.Client {
	return &http.Client{CheckRedirect: client.KeepRedirects, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: a.roots()}, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	n, a, url := tlsNode(t)
	browser := trusting(a)

	t.Run("WebSocket", func(t *testing.T) {
		ada := client.SignUp(person{t, browser}, url, "ada")
		chatID, socket := ada.Group(), ada.Fresh()
		socket.OK("message.send", map[string]any{"chat_id": chatID, "key": client.NewKey(), "body": "over TLS"})
		if got := socket.Want("message.created").Field(t, "body"); got != "over TLS" {
			t.Errorf("delivered %v", got)
		}
	})
	t.Run("headers", func(t *testing.T) {
		res := ask(t, browser, http.MethodGet, url+"/")
		if got := res.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("Strict-Transport-Security: %q", got)
		}
	})
	t.Run("versions", func(t *testing.T) {
		for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			asked := &tls.Config{RootCAs: a.roots(), MinVersion: tls.VersionTLS10, MaxVersion: version} //nolint:gosec // old ones must be refused
			conn, err := tls.Dial("tcp", n.public.Addr().String(), asked)
			if (err == nil) != want {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
			if err == nil {
				conn.Close()
			}
		}
	})
	t.Run("protocols", func(t *testing.T) {
		for _, offered := range [][]string{{"h2", "http/1.1"}, {"http/1.1"}, nil} { // a WebSocket needs HTTP/1.1
			conn, err := tls.Dial("tcp", n.public.Addr().String(), &tls.Config{RootCAs: a.roots(), NextProtos: offered})
			if err != nil {
				t.Errorf("%v: %v", offered, err)
				continue
			}
			if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" && offered != nil {
				t.Errorf("of %v it speaks %q", offered, got)
			}
			conn.Close()
		}
	})
	t.Run("plain HTTP on its port", func(t *testing.T) {
		if res := ask(t, http.DefaultClient, http.MethodGet, "http://"+n.public.Addr().String()+"/"); res.StatusCode != http.StatusBadRequest {
			t.Errorf("answered %s", res.Status)
		}
	})
	t.Run("healthcheck", func(t *testing.T) {
		c := n.config
		c.Listen = n.public.Addr().String()
		eventually(t, func() bool { return CheckHealth(t.Context(), c, io.Discard) == nil })
	})
	t.Run("expiry", func(t *testing.T) {
		eventually(t, func() bool { return partOf(n.health, "certificate").Value != nil })
		gathered, err := n.metrics.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range gathered {
			if f.GetName() == "fechatter_certificate_expiry_timestamp_seconds" {
				if got := f.GetMetric()[0].GetGauge().GetValue(); got != float64(n.certificates.Leaf().NotAfter.Unix()) {
					t.Errorf("the metric is %v", got)
				}
				return
			}
		}
		t.Error("there is no metric")
	})
}

func ask(t *testing.T, c *http.Client, method, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come true")
		}
	}
}
