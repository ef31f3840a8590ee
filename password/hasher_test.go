package password

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

func TestHashVerify(t *testing.T) {
	h := New(2)
	encoded, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("cost of a new hash: %s", encoded)
	}
	for pw, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if got, err := h.Verify(t.Context(), encoded, pw); err != nil || got != want {
			t.Errorf("Verify(%q) = %v, %v; want %v", pw, got, err, want)
		}
	}
}

// An é is one character or an e with an accent, as the keyboard has it.
func TestFormsOfOnePassword(t *testing.T) {
	const composed, decomposed = "caf\u00e9 \uac00 \u212b", "cafe\u0301 \u1100\u1161 A\u030a"
	h := New(2)
	for _, pw := range []string{composed, decomposed} {
		encoded, err := h.Hash(t.Context(), pw)
		if err != nil {
			t.Fatal(err)
		}
		for _, typed := range []string{composed, decomposed} {
			if ok, err := h.Verify(t.Context(), encoded, typed); err != nil || !ok {
				t.Errorf("%+q does not open what %+q made: %v", typed, pw, err)
			}
		}
		if ok, _ := h.Verify(t.Context(), encoded, "cafe \uac00 \u00c5"); ok {
			t.Error("the accent makes no difference")
		}
	}
	old := hash{version: argon2.Version, memory: 64, passes: 1, lanes: 1, salt: make([]byte, saltBytes)}
	old.key = argon2.IDKey([]byte(decomposed), old.salt, old.passes, old.memory, old.lanes, keyBytes)
	if ok, err := h.Verify(t.Context(), old.String(), decomposed); err != nil || !ok {
		t.Errorf("a hash of what was typed, made before forms were composed: %v, %v", ok, err)
	}
}

func TestSaltsDiffer(t *testing.T) {
	h := New(1)
	a, _ := h.Hash(t.Context(), "same")
	b, _ := h.Hash(t.Context(), "same")
	if a == b {
		t.Error("two hashes of one password are equal: no salt")
	}
}

// The vector is one of the reference implementation's own tests: "password" under
// the salt "somesalt", 64 MiB, two passes, one lane.
func TestVerifyForeignHash(t *testing.T) {
	const encoded = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := New(1)
	if ok, err := h.Verify(t.Context(), encoded, "password"); err != nil || !ok {
		t.Errorf("Verify = %v, %v", ok, err)
	}
}

func TestVerifyRefusesDamagedHashes(t *testing.T) {
	const salt, key = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := New(1)
	for name, encoded := range map[string]string{
		"empty":          "",
		"plain text":     "hunter2",
		"bcrypt":         "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"argon2i":        "$argon2i$v=19$m=65536,t=2,p=1$" + salt + "$" + key,
		"old version":    "$argon2id$v=16$m=65536,t=2,p=1$" + salt + "$" + key,
		"too much":       "$argon2id$v=19$m=4194304,t=2,p=1$" + salt + "$" + key,
		"no lanes":       "$argon2id$v=19$m=65536,t=2,p=0$" + salt + "$" + key,
		"no passes":      "$argon2id$v=19$m=65536,t=0,p=1$" + salt + "$" + key,
		"text after":     "$argon2id$v=19$m=65536,t=2,p=1x$" + salt + "$" + key,
		"short key":      "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$AAAA",
		"not base64":     "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$!!!!",
		"a part missing": "$argon2id$v=19$m=65536,t=2,p=1$" + salt,
	} {
		if ok, err := h.Verify(t.Context(), encoded, "password"); ok || !errors.Is(err, ErrFormat) {
			t.Errorf("%s: Verify = %v, %v; want ErrFormat", name, ok, err)
		}
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	h := New(1)
	h.slots <- struct{}{} // another call is computing
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := h.Hash(ctx, "pw"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Hash while full: %v", err)
	}
	if err := h.VerifyNone(ctx, "pw"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("VerifyNone while full: %v", err)
	}
	<-h.slots
	if err := h.VerifyNone(t.Context(), "pw"); err != nil {
		t.Errorf("VerifyNone with a free slot: %v", err)
	}
}

// The work of a refusal must not reveal whether the name exists. Times are noisy on
// a busy machine, so this compares the requested work.
func TestVerifyNoneCostsAsMuchAsVerify(t *testing.T) {
	h := New(1)
	encoded, err := h.Hash(t.Context(), "pw")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := parse(encoded)
	if err != nil {
		t.Fatal(err)
	}
	none := h.none
	if none.memory != stored.memory || none.passes != stored.passes || none.lanes != stored.lanes ||
		len(none.salt) != len(stored.salt) || len(none.key) != len(stored.key) {
		t.Errorf("dummy %s and %s differ in cost", none, stored)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$$$$")
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := parse(s); err == nil && h.String() != s {
			t.Errorf("parse(%q) writes %q", s, h.String())
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := New(1)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}

// While a slot is held, only so many calls wait; the next is refused at once.
func TestRushIsBounded(t *testing.T) {
	h := New(1)
	h.slots <- struct{}{} // another call is computing
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, maxWaiting+1)
	for range maxWaiting + 1 {
		go func() {
			_, err := h.Hash(ctx, "x")
			ended <- err
		}()
	}
	for h.waiting.Load() < maxWaiting+1 {
		runtime.Gosched()
	}
	if _, err := h.Hash(t.Context(), "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("one more: %v", err)
	}
	cancel()
	for range maxWaiting + 1 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a waiting call: %v", err)
		}
	}
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d still count as waiting", n)
	}
}
