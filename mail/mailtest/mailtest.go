// Package mailtest is a real SMTP server for tests, on an address of this machine. It can
// refuse, dawdle and go away.
package mailtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// User and Password are those that the server knows.
const (
	User     = "fechatter"
	Password = "correct horse"
)

// Mail is what the server took.
type Mail struct {
	From, To string
	UTF8     bool // it came by SMTPUTF8
	Data     []byte
}

// Text returns the text of the letter, without HTML.
func (m Mail) Text(t testing.TB) string {
	t.Helper()
	message, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(message.Body, params["boundary"]).NextPart() // which decodes quoted-printable
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Server is a running SMTP server. Its methods may be called concurrently.
type Server struct {
	Address string // host and port
	CA      string // file of its certificate

	mu      sync.Mutex
	taken   []Mail
	arrived chan Mail
	refuse  func(to string) error
	hold    func()
	loggeds int
}

// Config says what the server offers.
type Config struct {
	TLS      bool // the connection begins with TLS; else there is STARTTLS
	Plain    bool // neither: nothing is encrypted
	Auth     bool // only those who log in may send
	SMTPUTF8 bool
}

// Start runs a server until the test ends.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	certificate, file := selfSigned(t)
	s := &Server{CA: file, arrived: make(chan Mail, 1000)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s, auth: c.Auth}, nil }))
	server.Domain, server.EnableSMTPUTF8, server.AllowInsecureAuth = "mail.test", c.SMTPUTF8, false
	server.ErrorLog = quiet{}
	if !c.Plain {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = listener.Addr().String()
	if c.TLS {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

// Refuse has the server answer every recipient with an error of refuse, nil to take it.
func (s *Server) Refuse(refuse func(to string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

// Hold has the server call hold before it says that it has a letter.
func (s *Server) Hold(hold func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = hold
}

// Taken returns everything that the server took.
func (s *Server) Taken() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.taken...)
}

// LogIns returns how often somebody has logged in.
func (s *Server) LogIns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loggeds
}

// Next waits for the next letter.
func (s *Server) Next(t testing.TB) Mail {
	t.Helper()
	select {
	case m := <-s.arrived:
		return m
	case <-time.After(time.Minute):
		t.Fatal("no mail within a minute")
		return Mail{}
	}
}

// Reply is an answer of the server to a recipient.
func Reply(code int, message string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 7, 1}, Message: message}
}

type session struct {
	server *Server
	auth   bool
	known  bool
	mail   Mail
}

func (s *session) AuthMechanisms() []string {
	if !s.auth {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != User || password != Password {
			return errors.New("wrong user or password")
		}
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.known = true
		s.server.loggeds++
		return nil
	}), nil
}

func (s *session) Mail(from string, options *smtp.MailOptions) error {
	if s.auth && !s.known {
		return smtp.ErrAuthRequired
	}
	s.mail = Mail{From: from, UTF8: options != nil && options.UTF8}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	refuse := s.server.refuse
	s.server.mu.Unlock()
	if refuse != nil {
		if err := refuse(to); err != nil {
			return err
		}
	}
	s.mail.To = to
	return nil
}

func (s *session) Data(r io.Reader) (err error) {
	if s.mail.Data, err = io.ReadAll(r); err != nil {
		return err
	}
	s.server.mu.Lock()
	hold := s.server.hold
	s.server.mu.Unlock()
	if hold != nil {
		hold()
	}
	s.server.mu.Lock()
	s.server.taken = append(s.server.taken, s.mail)
	s.server.mu.Unlock()
	s.server.arrived <- s.mail
	return nil
}

func (s *session) Reset()        { s.mail = Mail{} }
func (s *session) Logout() error { return nil }

// quiet drops what the server says of connections that were cut.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// selfSigned returns a certificate for this machine, and a file with it.
func selfSigned(t testing.TB) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}
