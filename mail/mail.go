// Package mail writes letters and hands them to an SMTP server: text and HTML, in English
// and Chinese.
//
// It tries once, and says whether another attempt may help: waiting, repeating and giving
// up are its caller's business. It knows neither accounts nor how links are made.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// Config selects the server.
type Config struct {
	// Server is smtp://USER@HOST:587, which must offer STARTTLS, smtps://USER@HOST:465,
	// which begins with TLS, or smtp+plain://HOST:25, which is not encrypted. User and port
	// may be left out.
	Server   string
	Password string // of the user, unless it is in Server
	From     string // address of the sender, with or without a name
	CA       string // file of the authorities (PEM) to trust instead of the system's
	// Timeout bounds connecting and each answer of the server; default 20 s.
	Timeout time.Duration
}

// Sender sends letters. It may be used concurrently.
type Sender struct {
	host    string
	options []gomail.Option
	tls     *tls.Config // of smtps; nil: the connection begins without TLS
	from    mail.Address
	timeout time.Duration
}

const defaultTimeout = 20 * time.Second

// refused marks what no further attempt can mend.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

// IsRefused reports whether a letter was refused for good: trying again would not help.
func IsRefused(err error) bool { return errors.As(err, new(refused)) }

// New returns a sender. The error names what is wrong with the settings, without secrets.
func New(c Config) (*Sender, error) {
	u, err := url.Parse(c.Server)
	if err != nil || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" {
		return nil, errors.New("mail: use smtp://USER@HOST:587 (STARTTLS), smtps://USER@HOST:465 (TLS) or smtp+plain://HOST:25")
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("mail_from: %q is not an address such as Fechatter <chat@example.org>", c.From)
	}
	roots, err := authorities(c.CA)
	if err != nil {
		return nil, err
	}
	s := &Sender{host: u.Hostname(), from: *from, timeout: c.Timeout}
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	secure := &tls.Config{ServerName: s.host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	s.options = []gomail.Option{gomail.WithTimeout(s.timeout), gomail.WithHELO(domainOf(from.Address)), gomail.WithTLSConfig(secure)}
	port := 587
	switch u.Scheme {
	case "smtp":
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case "smtps":
		port, s.tls = 465, secure
		s.options = append(s.options, gomail.WithSSL())
	case "smtp+plain":
		port = 25
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("mail: unknown scheme %q; use smtp://, smtps:// or smtp+plain://", u.Scheme+":")
	}
	if p := u.Port(); p != "" {
		port, _ = strconv.Atoi(p) // digits, as url.Parse has seen
	}
	s.options = append(s.options, gomail.WithPort(port))
	if u.User != nil {
		password, given := u.User.Password()
		if !given {
			password = c.Password
		}
		s.options = append(s.options, gomail.WithUsername(u.User.Username()), gomail.WithPassword(password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return s, nil
}

func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("mail_ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mail_ca: there is no certificate in %s", file)
	}
	return pool, nil
}

// Send hands a letter to the server and returns once that has taken it. ID names the letter
// in its Message-ID: a letter that is sent twice can be told by it. The error is about the
// server or the address, and IsRefused tells whether to try again.
func (s *Sender) Send(ctx context.Context, l Letter, id string) error {
	m, err := s.write(l, id)
	if err != nil {
		return refused{err}
	}
	client, err := gomail.NewClient(s.host, append([]gomail.Option{gomail.WithDialContextFunc(s.dialer(ctx))}, s.options...)...)
	if err != nil {
		return fmt.Errorf("mail client: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("reach the mail server: %w", err)
	}
	err = client.Send(m)
	if m.IsDelivered() {
		_ = client.Close() // it has the letter, whatever it says to our leave
		return nil
	}
	_ = client.Close()
	return judge(err)
}

// judge tells refusals from troubles that may pass. A 5xx about the recipient or the letter
// is final; about the sender or the connection it is the operator who can mend it.
func judge(err error) error {
	if err == nil {
		return errors.New("the mail server did not confirm the letter")
	}
	var failed *gomail.SendError
	if errors.As(err, &failed) && !failed.IsTemp() && failed.ErrorCode() >= 500 &&
		(failed.Reason == gomail.ErrSMTPRcptTo || failed.Reason == gomail.ErrSMTPDataClose) {
		return refused{fmt.Errorf("the mail server refused it: %w", err)}
	}
	return fmt.Errorf("send mail: %w", err)
}

// dialer returns how to connect: what it connects is cut when ctx ends, which go-mail does
// not look at after it has connected.
func (s *Sender) dialer(ctx context.Context) gomail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		cut := &cutConn{Conn: conn}
		cut.release = context.AfterFunc(ctx, func() { _ = conn.Close() })
		if s.tls == nil {
			return cut, nil
		}
		secure := tls.Client(cut, s.tls)
		if err := secure.HandshakeContext(dialing); err != nil {
			return nil, errors.Join(err, cut.Close())
		}
		return secure, nil
	}
}

// cutConn is closed by a context, which it lets go of when it is closed before.
type cutConn struct {
	net.Conn
	release func() bool
}

func (c *cutConn) Close() error {
	c.release()
	return c.Conn.Close()
}

// write composes the message. Nothing of a letter can add a header: go-mail encodes what a
// header must not hold, and addresses are parsed.
func (s *Sender) write(l Letter, id string) (*gomail.Msg, error) {
	to, err := Address(l.To)
	if err != nil {
		return nil, err
	}
	subject, text, html, err := l.compose()
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&s.from)
	m.ToMailAddress(&mail.Address{Address: to})
	m.Subject(subject)
	m.SetDate()
	m.SetMessageIDWithValue(id + "@" + domainOf(s.from.Address))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation notes, please
	m.SetGenHeader(gomail.HeaderContentLang, l.language())
	m.SetBodyString(gomail.TypeTextPlain, text)
	m.AddAlternativeString(gomail.TypeTextHTML, html)
	return m, nil
}

// Address returns an address as servers take it: the domain in ASCII, so that only a name
// before the @ that is not asks for an internationalised server.
func Address(address string) (string, error) {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || strings.ContainsAny(address, "\r\n") {
		return "", errors.New("this is not an address of mail")
	}
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return "", errors.New("this is not an address of mail: its domain cannot be")
	}
	return address[:at+1] + domain, nil
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
