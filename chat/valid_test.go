package chat

import (
	"strings"
	"testing"
)

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		"0199a0c0-0000-7000-8000-000000000001": true,
		"0199A0C0-0000-7000-8000-000000000001": false,
		"0199a0c0-0000-7000-8000-00000000000>": false,
		"0199a0c0000070008000000000000001":     false,
		"":                                     false,
		"*":                                    false,
	} {
		if got := ValidID(id); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
}

func TestValidKey(t *testing.T) {
	for key, want := range map[string]bool{
		"k": true, strings.Repeat("k", 64): true, "!~": true,
		"": false, strings.Repeat("k", 65): false, "a b": false, "ü": false, "\x7f": false,
	} {
		if got := ValidKey(key); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
}

func TestValidUsername(t *testing.T) {
	for name, want := range map[string]bool{
		"bob": true, "a_b.c-9": true, strings.Repeat("a", 32): true,
		"ab": false, strings.Repeat("a", 33): false, "Bob": false, "bob ": false, "böb": false,
	} {
		if got := validUsername(name) == nil; got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestValidBody(t *testing.T) {
	s := NewService(nil, nil, nil, nil, DefaultLimits())
	for body, want := range map[string]bool{
		"x": true, strings.Repeat("x", 16<<10): true, " x\n": true,
		"": false, " \t\n\u00a0\u2003": false, strings.Repeat("x", 16<<10+1): false, "a\x00b": false, "a\xff": false,
	} {
		err := s.validBody(body)
		if (err == nil) != want || err != nil && CodeOf(err) != BadRequest {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

func TestFingerprintTellsPartsApart(t *testing.T) {
	s := NewService(nil, nil, nil, []byte("secret"), DefaultLimits())
	if string(s.fingerprint("ab", "c")) == string(s.fingerprint("a", "bc")) {
		t.Error("the parts run into each other")
	}
	other := NewService(nil, nil, nil, []byte("other"), DefaultLimits())
	if string(s.fingerprint("ab")) == string(other.fingerprint("ab")) {
		t.Error("the secret does not count")
	}
}
