package signin

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// The secret of RFC 6238's test vectors, whose codes are the last six digits of its table.
const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func TestCodesOfRFC6238(t *testing.T) {
	codes := NewTOTP("Fechatter")
	for _, v := range []struct {
		at   int64
		code string
	}{{59, "287082"}, {1111111109, "081804"}, {1111111111, "050471"}, {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}} {
		if step, ok := codes.Match(rfcSecret, v.code, time.Unix(v.at, 0), 0); !ok || step != v.at/30 {
			t.Errorf("at %d: step %d, %v", v.at, step, ok)
		}
	}
}

// A code counts in its own step and its neighbours, and not once a later one was used.
func TestCodesCountOnce(t *testing.T) {
	codes, at := NewTOTP("Fechatter"), time.Unix(1111111109, 0)
	const step = 1111111109 / 30
	for shift, want := range map[time.Duration]bool{-61 * time.Second: false, -30 * time.Second: true, 0: true, 30 * time.Second: true, 61 * time.Second: false} {
		if _, ok := codes.Match(rfcSecret, "081804", at.Add(shift), 0); ok != want {
			t.Errorf("%s later: %v", shift, ok)
		}
	}
	for after, want := range map[int64]bool{step - 1: true, step: false, step + 1: false} {
		if _, ok := codes.Match(rfcSecret, "081804", at, after); ok != want {
			t.Errorf("after step %d: %v", after, ok)
		}
	}
}

func TestCodesOfANewSecret(t *testing.T) {
	codes := NewTOTP("chat.example.org")
	secret, uri, err := codes.New("ann")
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := codes.New("ann")
	if err != nil || other == secret || len(secret) != 32 {
		t.Errorf("secrets %q and %q, %v", secret, other, err)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/chat.example.org:ann" || u.Query().Get("secret") != secret {
		t.Errorf("address %s, %v", uri, err)
	}
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(key.Secret(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := codes.Match(secret, code, time.Now(), 0); !ok {
		t.Errorf("the code %s of %s is wrong", code, secret)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("081804")
	f.Add("")
	f.Add("½81804")
	f.Fuzz(func(t *testing.T, code string) {
		const now = 1111111109 / 30
		step, ok := NewTOTP("Fechatter").Match(rfcSecret, code, time.Unix(1111111109, 0), now-1)
		if ok && (step < now || step > now+1 || len(strings.TrimSpace(code)) != 6) {
			t.Errorf("%q is the code of step %d", code, step)
		}
	})
}
