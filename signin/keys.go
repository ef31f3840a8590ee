package signin

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	minSecretBytes = 32
	minRSABits     = 2048
)

// publicAlgorithms are those of keys that anybody may know. Never among them is HS256: a
// public key would then be its secret.
func publicAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}
}

func allAlgorithms() []jose.SignatureAlgorithm { return append(publicAlgorithms(), jose.HS256) }

func contains(list []jose.SignatureAlgorithm, a jose.SignatureAlgorithm) bool {
	return slices.Contains(list, a)
}

// newKeySource reads the keys of an issuer from what the settings say.
func newKeySource(keys string, client *http.Client, now func() time.Time) (keySource, error) {
	switch {
	case strings.HasPrefix(keys, "https://"), strings.HasPrefix(keys, "http://"):
		return newFetched(keys, client, now), nil
	case strings.Contains(keys, "-----BEGIN "):
		public, err := parsePEM([]byte(keys))
		return fixed{algs: publicAlgorithms(), keys: public}, err
	case len(keys) < minSecretBytes:
		return nil, fmt.Errorf("keys must be an address, public keys in PEM, or a secret of at least %d bytes", minSecretBytes)
	}
	return fixed{algs: []jose.SignatureAlgorithm{jose.HS256}, keys: []any{[]byte(keys)}}, nil
}

// fixed are the keys that the settings have.
type fixed struct {
	algs []jose.SignatureAlgorithm
	keys []any
}

func (f fixed) algorithms() []jose.SignatureAlgorithm { return f.algs }
func (f fixed) generation() int                       { return 0 }
func (f fixed) run(context.Context)                   {}
func (f fixed) find(_ context.Context, _ string, a jose.SignatureAlgorithm) ([]any, int, error) {
	return slices.DeleteFunc(slices.Clone(f.keys), func(k any) bool { return !fits(k, a) }), 0, nil
}

// fits reports whether a key signs by an algorithm.
func fits(key any, a jose.SignatureAlgorithm) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return (a == jose.RS256 || a == jose.PS256) && k.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		return a == jose.ES256 && k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return a == jose.EdDSA
	case []byte:
		return a == jose.HS256
	}
	return false
}

// usable reports whether a key fits any algorithm of a public key.
func usable(key any) bool {
	return slices.ContainsFunc(publicAlgorithms(), func(a jose.SignatureAlgorithm) bool { return fits(key, a) })
}

// parsePEM reads public keys and certificates.
func parsePEM(data []byte) (keys []any, err error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var key any
		switch block.Type {
		case "PUBLIC KEY":
			key, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			key, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var c *x509.Certificate
			if c, err = x509.ParseCertificate(block.Bytes); err == nil {
				key = c.PublicKey
			}
		default:
			err = fmt.Errorf("keys holds a %s: it must be public keys or certificates", block.Type)
		}
		if err != nil {
			return nil, err
		}
		if !usable(key) {
			return nil, fmt.Errorf("keys holds a %T that cannot be used: RSA of at least %d bits, P-256 and Ed25519 can", key, minRSABits)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("keys has no public key in PEM")
	}
	return keys, nil
}
