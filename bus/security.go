package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"
)

// TLS names PEM files. They are read at each connect, so that a renewed certificate
// needs no restart. Any of them makes TLS mandatory; without them it is used for
// tls:// and wss:// and where the server demands it.
type TLS struct {
	CA   string // the authorities that verify a server's certificate, instead of the system's
	Cert string // this node's certificate, and
	Key  string // its key
}

// Credentials identify this node; at most one of them may be set. A user and
// password may be in the URL instead.
type Credentials struct {
	Token string
	Creds string // a .creds file: a user's JWT and the seed of its key
	Nkey  string // a file with the seed of an nkey
}

// security reads every file once, so that a wrong one is reported at the start,
// and returns the options of every connection.
func (c Config) security() ([]nats.Option, error) {
	opts, err := c.TLS.options()
	if err != nil {
		return nil, err
	}
	more, err := c.Credentials.options()
	return append(opts, more...), err
}

func (t TLS) options() (opts []nats.Option, err error) {
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("a client certificate needs both its own file and that of its key")
	}
	if t.CA != "" {
		if _, err := t.authorities(); err != nil {
			return nil, err
		}
		opts = append(opts, nats.ClientTLSConfig(nil, t.authorities))
	}
	if t.Cert != "" {
		if _, err := t.certificate(); err != nil {
			return nil, err
		}
		opts = append(opts, nats.ClientCert(t.Cert, t.Key))
	}
	return opts, nil
}

func (t TLS) authorities() (*x509.CertPool, error) {
	data, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("read CA certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("read CA certificates: no PEM certificate in %s", t.CA)
	}
	return pool, nil
}

func (t TLS) certificate() (tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return c, fmt.Errorf("read client certificate: %w", err)
	}
	return c, nil
}

func (c Credentials) options() ([]nats.Option, error) {
	switch {
	case c.Token != "" && c.Creds != "", c.Token != "" && c.Nkey != "", c.Creds != "" && c.Nkey != "":
		return nil, errors.New("a token, a credentials file and an nkey are mutually exclusive")
	case c.Token != "":
		return []nats.Option{nats.Token(c.Token)}, nil
	case c.Creds != "":
		creds := nats.UserCredentials(c.Creds)
		return []nats.Option{creds}, tryCredentials(c.Creds, creds)
	case c.Nkey != "":
		key, err := nats.NkeyOptionFromSeed(c.Nkey)
		if err != nil {
			return nil, fmt.Errorf("read nkey seed from %s: %w", c.Nkey, err)
		}
		return []nats.Option{key}, nil
	}
	return nil, nil
}

// tryCredentials reads the file as a connect does.
func tryCredentials(file string, creds nats.Option) error {
	var o nats.Options
	if err := creds(&o); err != nil {
		return fmt.Errorf("read credentials from %s: %w", file, err)
	}
	if _, err := o.UserJWT(); err != nil {
		return fmt.Errorf("read credentials from %s: %w", file, err)
	}
	if _, err := o.SignatureCB([]byte("nonce")); err != nil {
		return fmt.Errorf("read key of credentials from %s: %w", file, err)
	}
	return nil
}
