package signin

import (
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"fechatter/chat"
)

// device is a virtual authenticator with a passkey of a user.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDevice(name, origin, userID string) *device {
	return &device{
		rp:   virtualwebauthn.RelyingParty{ID: name, Name: "Fechatter", Origin: origin},
		auth: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(userID)}),
		key:  newCredential(),
	}
}

// newCredential makes a key whose coordinates have no leading zero: the virtual authenticator would
// leave it out, which real ones never do.
func newCredential() virtualwebauthn.Credential {
	const whole = 77 // bytes of a COSE key on P-256
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

func (d *device) create(t *testing.T, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *o))
}

func (d *device) answer(t *testing.T, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	d.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *o))
}

var (
	here      = chat.Site{Name: "chat.example", Origins: []string{"https://chat.example"}}
	ann       = chat.User{ID: "0190f3a2-0000-7000-8000-000000000001", Username: "ann", DisplayName: "Ann"}
	question  = []byte("a challenge of thirty-two bytes!")
	question2 = []byte("another challenge of 32 bytes...")
)

// made returns the passkey that a device has made for ann.
func made(t *testing.T, keys Passkeys, d *device) chat.Passkey {
	t.Helper()
	options, err := keys.CreationOptions(here, question, ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keys.Create(here, question, ann, d.create(t, options))
	if err != nil {
		t.Fatal(err)
	}
	p.UserID = ann.ID
	return p
}

func TestPasskey(t *testing.T) {
	keys, d := NewPasskeys("Fechatter"), newDevice("chat.example", "https://chat.example", ann.ID)
	options, err := keys.CreationOptions(here, question, ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`, `"id":"chat.example"`, `"name":"ann"`} {
		if !strings.Contains(string(options), want) {
			t.Errorf("the options lack %s: %s", want, options)
		}
	}
	p := made(t, keys, d)
	if strings.Contains(p.Data, "attestationObject") || p.Counter != 0 || p.Credential == "" {
		t.Errorf("the passkey is %+v", p)
	}
	again, err := keys.CreationOptions(here, question, ann, []chat.Passkey{p})
	if err != nil || !strings.Contains(string(again), p.Credential) {
		t.Errorf("the known one is not excluded: %s, %v", again, err)
	}
	request, err := keys.RequestOptions(here, question2)
	if err != nil || strings.Contains(string(request), p.Credential) {
		t.Fatalf("the request is %s, %v", request, err)
	}
	answer := d.answer(t, request)
	user, credential, err := keys.Claimed(answer)
	if err != nil || user != ann.ID || credential != p.Credential {
		t.Errorf("claimed by %s: %s, %v", user, credential, err)
	}
	counter, data, err := keys.Verify(here, question2, p, answer)
	if err != nil || counter != 1 || data == "" {
		t.Errorf("counter %d, %v", counter, err)
	}
}

// What is wrong about an answer is refused, one thing at a time.
func TestBadPasskeys(t *testing.T) {
	keys, d := NewPasskeys("Fechatter"), newDevice("chat.example", "https://chat.example", ann.ID)
	p := made(t, keys, d)
	other := made(t, keys, newDevice("chat.example", "https://chat.example", ann.ID))
	request, err := keys.RequestOptions(here, question)
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*device){
		"nothing":         func(*device) {},
		"origin":          func(d *device) { d.rp.Origin = "https://chat.example.evil" },
		"port":            func(d *device) { d.rp.Origin = "https://chat.example:8443" },
		"plain http":      func(d *device) { d.rp.Origin = "http://chat.example" },
		"relying party":   func(d *device) { d.rp.ID = "evil.example" },
		"user handle":     func(d *device) { d.auth.Options.UserHandle = []byte("somebody else") },
		"no verification": func(d *device) { d.auth.Options.UserNotVerified = true },
		"no presence":     func(d *device) { d.auth.Options.UserNotPresent = true },
		"another key":     func(d *device) { d.key.Key = newCredential().Key },
		"another id":      func(d *device) { d.key.ID = []byte("another credential") },
		"backup":          func(d *device) { d.auth.Options.BackupEligible = true },
	} {
		bad := *d
		spoil(&bad)
		_, _, err := keys.Verify(here, question, p, bad.answer(t, request))
		if (err == nil) != (what == "nothing") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := keys.Verify(here, question2, p, d.answer(t, request)); err == nil {
		t.Error("the answer to another challenge is good")
	}
	if _, _, err := keys.Verify(here, question, other, d.answer(t, request)); err == nil {
		t.Error("the answer of another passkey is good")
	}
	options, err := keys.CreationOptions(here, question, ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*device){
		"origin":          func(d *device) { d.rp.Origin = "https://evil.example" },
		"relying party":   func(d *device) { d.rp.ID = "evil.example" },
		"no verification": func(d *device) { d.auth.Options.UserNotVerified = true },
	} {
		bad := *d
		spoil(&bad)
		if _, err := keys.Create(here, question, ann, bad.create(t, options)); err == nil {
			t.Errorf("a passkey with another %s is good", what)
		}
	}
	if _, err := keys.Create(here, question2, ann, d.create(t, options)); err == nil {
		t.Error("a passkey of another challenge is good")
	}
}

// What comes from outside is never worth a panic.
func FuzzPasskeyAnswers(f *testing.F) {
	keys := NewPasskeys("Fechatter")
	f.Add([]byte(`{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`))
	f.Add([]byte(`{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"AAAA","userHandle":"AAAA"}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if p, err := keys.Create(here, question, ann, answer); err == nil {
			t.Errorf("a passkey of nobody: %+v", p)
		}
		if user, credential, err := keys.Claimed(answer); err == nil && (user == "" || credential == "") {
			t.Error("nobody claims to be somebody")
		}
	})
}
