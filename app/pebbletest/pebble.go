// Package pebbletest runs Pebble, Let's Encrypt's ACME server for tests, inside the test's
// process: it checks names over real connections and issues real certificates. It does not
// know who asks it for some.
package pebbletest

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Server is an authority. Its methods may be called concurrently.
type Server struct {
	front *httptest.Server
	names *dns.Server
	at    string // of names
	store *db.MemoryStore
	ca    *ca.CAImpl

	mu    sync.Mutex
	ready chan struct{} // closed once it answers
	mux   http.Handler
}

// Start starts an authority whose certificates are valid for so long. Requests wait until
// Check says where names are checked.
func Start(ctx context.Context, validity time.Duration) (*Server, error) {
	// It reads these when it starts: no pauses, and each order is checked.
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"} {
		if err := os.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	s := &Server{store: db.NewMemoryStore(), ready: make(chan struct{})}
	s.ca = ca.New(quiet(), s.store, "", "ecdsa", 0, 1, map[string]ca.Profile{
		"default": {Description: "of tests", ValidityPeriod: uint64(validity / time.Second)}, //nolint:gosec // a test's, and positive
	})
	if err := s.startNames(ctx); err != nil {
		return nil, err
	}
	s.front = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	return s, nil
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// startNames starts a DNS server by which every name leads to this machine.
func (s *Server) startNames(ctx context.Context) error {
	var listener net.ListenConfig
	l, err := listener.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for DNS: %w", err)
	}
	s.at = l.Addr().String()
	s.names = &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, asked *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(asked)
		for _, q := range asked.Question {
			if q.Qtype == dns.TypeA {
				answer.Answer = append(answer.Answer, &dns.A{A: net.IPv4(127, 0, 0, 1),
					Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}})
			}
		}
		_ = w.WriteMsg(answer) // who asked has gone
	})}
	go func() { _ = s.names.ActivateAndServe() }() // ends with the server
	return nil
}

// Check has names checked on these ports of this machine from now on.
func (s *Server) Check(httpPort, tlsPort int) {
	checker := va.New(quiet(), httpPort, tlsPort, false, s.at, s.store)
	front := wfe.New(quiet(), s.store, checker, s.ca, []string{"pebble.example"}, false, false, 1, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mux == nil {
		close(s.ready)
	}
	s.mux = front.Handler()
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.ready:
	case <-r.Context().Done():
		return
	}
	s.mu.Lock()
	mux := s.mux
	s.mu.Unlock()
	mux.ServeHTTP(w, r)
}

// Directory returns the address of its directory.
func (s *Server) Directory() string { return s.front.URL + wfe.DirectoryPath }

// CA returns the certificate, in PEM, that verifies the server itself.
func (s *Server) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.front.Certificate().Raw})
}

// Root returns the certificate, in PEM, that verifies those which it issues.
func (s *Server) Root() []byte { return s.ca.GetRootCert(0).PEM() }

// Stop ends the server: whoever asks gets no connection.
func (s *Server) Stop() error {
	s.front.CloseClientConnections()
	s.front.Close()
	return s.names.Shutdown()
}
