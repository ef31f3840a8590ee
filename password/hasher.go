// Package password turns passwords into Argon2id hashes and checks them.
//
// It knows the PHC string format, the cost of a hash, and how many may be computed
// at once. It does not know users, sessions, rules for passwords, or where hashes
// are stored.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// The cost of a new hash: the first choice of the OWASP Password Storage Cheat Sheet
// for Argon2id with little memory (19 MiB, two passes, one lane). A stored hash
// carries its own cost, so raising these leaves older hashes valid.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltBytes = 16
	keyBytes  = 32

	// maxWaiting is how many calls may wait for a slot: a few seconds of work.
	maxWaiting = 256
)

// ErrBusy is returned when too many calls are already waiting.
var ErrBusy = errors.New("too many passwords at once")

// Hasher hashes and verifies passwords. Its methods may be called concurrently; at
// most `concurrency` calls compute at a time, because each takes 19 MiB and a core.
type Hasher struct {
	slots   chan struct{}
	waiting atomic.Int64
	none    hash
}

// New returns a Hasher that computes at most concurrency hashes at once, and at
// least one.
func New(concurrency int) *Hasher {
	return &Hasher{slots: make(chan struct{}, max(1, concurrency)), none: dummy()}
}

// Hash returns the PHC string of pw, in Unicode's composed form (NFC), under a fresh
// salt: keyboards differ in the form that they type. The only errors are that of
// ctx, when it ends before a slot is free, and ErrBusy.
func (h *Hasher) Hash(ctx context.Context, pw string) (string, error) {
	p := hash{version: argon2.Version, memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltBytes)}
	rand.Read(p.salt) // never fails: crypto/rand would end the process
	key, err := h.derive(ctx, p, norm.NFC.String(pw), keyBytes)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	p.key = key
	return p.String(), nil
}

// Verify reports whether pw is the password of encoded, as it was typed, which is how
// older hashes were made, or in the form that Hash uses. The errors are ErrFormat,
// that of ctx, when it ends before a slot is free, and ErrBusy.
func (h *Hasher) Verify(ctx context.Context, encoded, pw string) (bool, error) {
	want, err := parse(encoded)
	if err != nil {
		return false, fmt.Errorf("verify password: %w", err)
	}
	return h.matches(ctx, want, pw)
}

// VerifyNone does the work of Verify for a user that does not exist, so that a wrong
// name takes as long as a wrong password. Its errors are those of Hash.
func (h *Hasher) VerifyNone(ctx context.Context, pw string) error {
	_, err := h.matches(ctx, h.none, pw)
	return err
}

func (h *Hasher) matches(ctx context.Context, want hash, pw string) (bool, error) {
	forms := []string{pw}
	if composed := norm.NFC.String(pw); composed != pw {
		forms = append(forms, composed)
	}
	for _, form := range forms {
		got, err := h.derive(ctx, want, form, len(want.key))
		if err != nil {
			return false, fmt.Errorf("verify password: %w", err)
		}
		if subtle.ConstantTimeCompare(got, want.key) == 1 {
			return true, nil
		}
	}
	return false, nil
}

// derive waits for a slot, so that logins in a rush queue for the processor instead
// of taking 19 MiB each.
func (h *Hasher) derive(ctx context.Context, p hash, pw string, size int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > maxWaiting+int64(cap(h.slots)) {
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(pw), p.salt, p.passes, p.memory, p.lanes, uint32(size)), nil //nolint:gosec // parse bounds it
}
