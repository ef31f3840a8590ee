package chat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
)

// errSealed is about a text that Seal did not make, or made for something else. It says
// no more, lest it quote a secret.
var errSealed = errors.New("not sealed with this key for this use")

// Seal encrypts text so that only nodes of this database can read it, and only for the
// same use and subject: what was sealed for one user opens for no other. The key is made
// of the secret in the database, so it hides nothing from who has all of that.
func (s *Service) Seal(use, subject string, text []byte) string {
	aead := s.sealer(use)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, text, []byte(subject)))
}

// Unseal returns the text that Seal encrypted for this use and subject.
func (s *Service) Unseal(use, subject, sealed string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	aead := s.sealer(use)
	if err != nil || len(raw) < aead.NonceSize() {
		return nil, errSealed
	}
	text, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(subject))
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}

// sealer has a key of its own for each use.
func (s *Service) sealer(use string) cipher.AEAD {
	block, err := aes.NewCipher(s.fingerprint("seal", use))
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCM(block); err == nil {
			return aead
		}
	}
	panic(fmt.Sprintf("make a cipher of 32 bytes: %v", err)) // a key of this length always fits
}
