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
	for body, want := range map[string]Code{
		"x": "", strings.Repeat("x", 16<<10): "", " x\n": "", "\u200b.": "",
		"": BadRequest, " \t\n\u00a0\u2003": BadRequest, "a\x00b": BadRequest, "a\xff": BadRequest,
		strings.Repeat("x", 16<<10+1): TooLarge, strings.Repeat(" ", 16<<10+1): TooLarge,
	} {
		if err := s.validBody(body); CodeOf(err) != want {
			t.Errorf("%.20q: %v", body, err)
		}
	}
	for _, blank := range undrawn() {
		for _, body := range []string{blank, " " + blank + "\n", strings.Repeat(blank, 3)} {
			if err := s.validBody(body); CodeOf(err) != BadRequest {
				t.Errorf("%+q passes as a body: %v", body, err)
			}
		}
	}
}

// undrawn lists texts of which nothing can be seen, whatever the font.
func undrawn() []string {
	return strings.Split("\u200b \u2800 \u3164 \ufeff \u200c \u200d \u200e \u200f \u2060 \u2061 \u2064 \u206f \u00ad \u034f \u061c \u115f \u1160 \u17b4 \u180b "+
		"\u180e \uffa0 \ufff9 \ufe0f \ufe00 \u202e \u2066\u2069 \u2028 \u0085 \u00a0 \u3000 \U0001d159 \U0001d173 \U00016fe4 \U000e0001 \U000e0041 \U000e0100 \x07", " ")
}

func TestFingerprintTellsPartsApart(t *testing.T) {
	s := NewService(nil, nil, nil, []byte("secret"), DefaultLimits())
	if string(s.fingerprint("ab", "c")) == string(s.fingerprint("a", "bc")) {
		t.Error("the parts run into each other")
	}
	other := NewService(nil, nil, nil, []byte("other"), DefaultLimits())
	if string(s.fingerprint("ab")) == string(other.fingerprint("ab")) {
		t.Error("the secret makes no difference")
	}
}
