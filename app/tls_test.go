package app

import (
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fechatter/door"
	"fechatter/server"
)

// Health warns from 14 days before the end, of short-lived certificates in their last
// quarter, and while there is none.
func TestExpiry(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		life, at time.Duration
		fine     bool
	}{
		{90 * day, 76*day - time.Second, true}, {90 * day, 76*day + time.Second, false}, {90 * day, 91 * day, false},
		{45 * day, 30 * day, true}, {45 * day, 32 * day, false},
		{6 * day, 4 * day, true}, {6 * day, 5 * day, false},
	} {
		e := expiryOf(&x509.Certificate{NotBefore: began, NotAfter: began.Add(tc.life)})
		if err := e.check(began.Add(tc.at)); (err == nil) != tc.fine {
			t.Errorf("%s into %s: %v", tc.at, tc.life, err)
		}
	}
	none := expiryOf(nil)
	if none.check(began) == nil || none.seconds() != 0 {
		t.Error("no certificate is fine")
	}
}

func TestHealthWarnsBeforeTheCertificateEnds(t *testing.T) {
	var left atomic.Pointer[expiry]
	left.Store(&expiry{none: true})
	watchLog(t, &node{}, quiet(), func(h *health) {
		const day = 24 * time.Hour
		for _, tc := range []struct {
			left time.Duration
			want server.HealthStatus // never Fail: those who are connected go on
		}{{20 * day, server.Pass}, {13 * day, server.Warn}, {-day, server.Warn}, {20 * day, server.Pass}} {
			end := time.Now().Add(tc.left)
			left.Store(&expiry{from: end.Add(-90 * day), end: end})
			after(2 * time.Second)
			if got := partOf(h, "certificate").Status; got != tc.want {
				t.Errorf("with %s left: %s", tc.left, got)
			}
		}
		left.Store(&expiry{none: true})
		after(2 * time.Second)
		if got := partOf(h, "certificate"); got.Status != server.Warn || status(h) != server.Warn {
			t.Errorf("without a certificate: %s, the node %s", got.Status, status(h))
		}
	}, func(h *health) { h.certificate = func() expiry { return *left.Load() } })
}

// A handshake that does not end has a deadline, and its socket makes room for newcomers: it
// is a stranger's until somebody has said who they are.
func TestSlowHandshakesEnd(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	n := &Node{certificates: newPair(t, a).pair}
	srv := newHTTPServer(http.NotFoundHandler(), quiet())
	srv.ReadHeaderTimeout = time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	places := door.New(door.Config{Places: 1})
	serve := n.secure(srv, places.Listen(l))
	ended := make(chan error, 1)
	go func() { ended <- serve() }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-ended
	})
	silent := dialPlain(t, l)
	eventually(t, func() bool { return places.Stats().Sockets == 1 })
	if _, err := silent.Write([]byte{22, 3, 1}); err != nil { // a handshake's first bytes
		t.Fatal(err)
	}
	other := dialPlain(t, l)
	if _, err := io.ReadAll(silent); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the silent one is not closed for a newcomer: %v", err)
	}
	if got := places.Stats(); got.Closed != 1 || got.Refused != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := io.ReadAll(other); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a handshake without an end is not ended: %v", err)
	}
}

// dialPlain connects without a handshake. What it waits for comes long before its deadline.
func dialPlain(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}
