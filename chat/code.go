package chat

import (
	"crypto/rand"
	"encoding/base64"
	"time"
)

// Purpose is what a code opens, and what the letter with it is about.
type Purpose string

// The purposes of codes.
const (
	ForReset      Purpose = "reset"      // a new password; the subject is a user
	ForEmail      Purpose = "email"      // shows that an address is the user's
	ForInvitation Purpose = "invitation" // lets somebody in; the subject is an invitation
	ForSetup      Purpose = "setup"      // makes the first administrator
)

// The purposes of letters that hold no code: they tell the owner of an account what somebody,
// perhaps another, has done to it.
const (
	PasswordChanged Purpose = "password_changed"
	EmailChanged    Purpose = "email_changed" // goes to the address of before
)

// Tells reports whether a letter tells something and opens nothing.
func (p Purpose) Tells() bool { return p == PasswordChanged || p == EmailChanged }

// How long codes are good. Those of invitations last as long as the invitation.
const (
	ResetTTL = time.Hour
	EmailTTL = 24 * time.Hour
)

// LinkCode is what somebody was given in a link. Only its hash is kept, and a code that was used
// is gone.
type LinkCode struct {
	Purpose   Purpose
	Subject   string
	Address   string // to which it was sent; "" if it was shown
	Hash      []byte
	ExpiresAt Time
}

// newCode returns a code of 256 bits, and the hash by which it is found. A search by the hash
// of a secret tells nothing of the secret, however long it takes.
func newCode() (code string, hash []byte) {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails: crypto/rand ends the process instead
	code = base64.RawURLEncoding.EncodeToString(raw)
	return code, hashToken(code)
}

// codeHash returns the hash of what somebody takes for a code; nil for what is none.
func codeHash(code string) []byte {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil || len(raw) != tokenBytes {
		return nil
	}
	return hashToken(code)
}

func noCode() error { return Errorf(NotFound, "this link is unknown, used or expired") }
