package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"fechatter/chat"
)

// device is a virtual authenticator on a page of the test's server, with one passkey.
type device struct {
	name string
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDevice(name string) *device {
	return &device{name: name, rp: virtualwebauthn.RelyingParty{ID: "example.com", Name: "Fechatter", Origin: "http://example.com"},
		auth: virtualwebauthn.NewAuthenticator(), key: newCredential()}
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

// made returns the body that adds the device's passkey to somebody's account.
func (d *device) made(p *person) object {
	p.n.t.Helper()
	a := p.want(200, "POST", "/me/passkeys/options", nil)
	o, err := virtualwebauthn.ParseAttestationOptions(textOf(a.body["options"]))
	if err != nil {
		p.n.t.Fatal(err)
	}
	d.auth.Options.UserHandle = []byte(o.UserID)
	answer := virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *o)
	return object{"name": d.name, "challenge": a.field("challenge"), "credential": json.RawMessage(answer)}
}

// register adds the device's passkey to somebody's account, and returns its id.
func (d *device) register(p *person) string {
	p.n.t.Helper()
	return p.want(201, "POST", "/me/passkeys", d.made(p)).field("id")
}

// answer returns the body that logs in with the device.
func (d *device) answer(p *person) object {
	p.n.t.Helper()
	a := p.want(200, "POST", "/sessions/passkey/options", nil)
	o, err := virtualwebauthn.ParseAssertionOptions(textOf(a.body["options"]))
	if err != nil {
		p.n.t.Fatal(err)
	}
	d.key.Counter++
	answer := virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *o)
	return object{"challenge": a.field("challenge"), "credential": json.RawMessage(answer), "device": "browser"}
}

func TestLogInByPasskey(t *testing.T) {
	n := newNode(t, nil)
	ada, d := n.person("ada"), newDevice("laptop")
	id := d.register(ada)
	listed := ada.want(200, "GET", "/me/passkeys", nil).list(t, "passkeys")
	if len(listed) != 1 || listed[0]["id"] != id || listed[0]["name"] != "laptop" || listed[0]["created_at"] == nil || len(listed[0]) != 3 {
		t.Fatalf("the list is %v", listed)
	}
	if me := ada.want(200, "GET", "/me", nil); me.field("passkeys") != "1" || textOf(me.body["second_factor"]) != "[]" {
		t.Errorf("me is %s", me.raw)
	}
	ada.logIn() // a passkey alone is no reason to ask for it after a password
	ada.setUpTOTP()
	browser := &person{n: n, name: "a browser"}
	a := browser.want(201, "POST", "/sessions/passkey", d.answer(browser))
	user, _ := a.body["user"].(map[string]any)
	if user["id"] != ada.id || cookieOf(t, a) == nil {
		t.Fatalf("got %s", a.raw)
	}
	browser.token = a.field("token")
	browser.want(200, "GET", "/me", nil)
	if used := ada.want(200, "GET", "/me/passkeys", nil).list(t, "passkeys")[0]; used["last_used_at"] == nil {
		t.Errorf("the list is %v", used)
	}
	if challenged := ada.refused(chat.SecondFactor, "POST", "/sessions", object{"username": "ada", "password": password}); textOf(challenged.body["methods"]) != `["totp","recovery_code","passkey"]` {
		t.Errorf("methods are %s", challenged.raw)
	}
	ada.want(204, "DELETE", "/me/passkeys/"+id, nil)
	ada.refused(chat.NotFound, "DELETE", "/me/passkeys/"+id, nil)
	browser.refused(chat.Unauthenticated, "POST", "/sessions/passkey", d.answer(browser))
}

func TestPasskeyRefusals(t *testing.T) {
	n := newNode(t, nil)
	ada, eve, d := n.person("ada"), n.person("eve"), newDevice("laptop")
	body := d.made(ada)
	eve.refused(chat.BadRequest, "POST", "/me/passkeys", body) // ada's challenge
	ada.want(201, "POST", "/me/passkeys", body)
	ada.refused(chat.Conflict, "POST", "/me/passkeys", body) // twice
	ada.refused(chat.Conflict, "POST", "/me/passkeys", d.made(ada))
	eve.refused(chat.Conflict, "POST", "/me/passkeys", d.made(eve)) // ada's credential
	d.auth.Options.UserHandle = []byte(ada.id)
	evil := newDevice("evil")
	evil.rp.Origin = "http://evil.example"
	ada.refused(chat.BadRequest, "POST", "/me/passkeys", evil.made(ada))
	for _, name := range []string{"", " ", strings.Repeat("x", 65)} {
		body := newDevice(name).made(ada)
		ada.refused(chat.BadRequest, "POST", "/me/passkeys", body)
	}
	browser := &person{n: n, name: "a browser"}
	refuse := func(what string, body object) {
		t.Helper()
		if a := browser.do("POST", "/sessions/passkey", body); a.status != 401 || a.field("code") != "unauthenticated" {
			t.Errorf("%s: got %d %s", what, a.status, a.raw)
		}
	}
	good := d.answer(browser)
	browser.want(201, "POST", "/sessions/passkey", good)
	refuse("a challenge twice", good)
	stale := d.answer(browser)
	browser.want(201, "POST", "/sessions/passkey", d.answer(browser))
	refuse("a counter that went back", stale)
	other := d.answer(browser)
	other["challenge"] = d.answer(browser)["challenge"]
	refuse("an answer to another challenge", other)
	made := d.made(ada)
	other = d.answer(browser)
	other["challenge"] = made["challenge"]
	refuse("a challenge for making passkeys", other)
	refuse("a foreign credential", newDevice("foreign").answer(browser))
	d.rp.Origin = "https://example.com.evil.example"
	refuse("another origin", d.answer(browser))
	d.rp.Origin, d.auth.Options.UserHandle = "http://example.com", []byte(eve.id)
	refuse("eve's passkey", d.answer(browser))
	for _, body := range []object{{}, {"challenge": "x"}, {"challenge": "x", "credential": "text"}, {"challenge": "x", "credential": []int{1}}} {
		browser.refused(chat.BadRequest, "POST", "/sessions/passkey", body)
	}
}

func TestSuspendedPasskey(t *testing.T) {
	n := newNode(t, nil)
	boss, ada, d := n.person("boss"), n.person("ada"), newDevice("laptop")
	d.register(ada)
	boss.want(200, "POST", "/admin/users/"+ada.id+"/suspend", nil)
	browser := &person{n: n, name: "a browser"}
	browser.refused(chat.Forbidden, "POST", "/sessions/passkey", d.answer(browser))
}

// A passkey is a second factor for whoever must have one, and then a password needs it.
func TestRequiredPasskey(t *testing.T) {
	n := newNode(t, nil)
	n.person("boss")
	ada, d := n.person("ada"), newDevice("laptop")
	n.requiring(chat.RequireEveryone)
	id := d.register(ada)
	ada.want(200, "GET", "/chats", nil)
	a := ada.refused(chat.SecondFactor, "POST", "/sessions", object{"username": "ada", "password": password})
	if textOf(a.body["methods"]) != `["passkey"]` {
		t.Errorf("methods are %s", a.raw)
	}
	browser := &person{n: n, name: "a browser"}
	browser.token = browser.want(201, "POST", "/sessions/passkey", d.answer(browser)).field("token")
	browser.want(200, "GET", "/chats", nil)
	ada.refused(chat.Conflict, "DELETE", "/me/passkeys/"+id, nil)
	newDevice("phone").register(ada)
	ada.want(204, "DELETE", "/me/passkeys/"+id, nil)
}

func TestPasskeysAreBounded(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	last := newDevice("one more").made(ada)
	for range 20 {
		newDevice("laptop").register(ada)
	}
	ada.refused(chat.Conflict, "POST", "/me/passkeys/options", nil)
	ada.refused(chat.Conflict, "POST", "/me/passkeys", last)
}

// Guesses at an account do not keep its passkey out.
func TestPasskeyDuringAFlood(t *testing.T) {
	n := newNode(t, nil)
	ada, d := n.person("ada"), newDevice("laptop")
	d.register(ada)
	thief := &person{n: n, name: "thief"}
	for range 12 {
		thief.do("POST", "/sessions", object{"username": "ada", "password": "a guess"})
	}
	thief.refused(chat.RateLimited, "POST", "/sessions", object{"username": "ada", "password": "a guess"})
	thief.want(201, "POST", "/sessions/passkey", d.answer(thief))
}

// Passkeys are bound to the name of the server, and an address is none.
func TestSiteOfPasskeys(t *testing.T) {
	for _, c := range []struct {
		public  string
		allowed []string
		host    string
		want    string
	}{
		{"", nil, "localhost:8080", "localhost http://localhost:8080"},
		{"", nil, "127.0.0.1:8080", ""},
		{"", nil, "[::1]:8080", ""},
		{"https://chat.example:8443", nil, "anything", "chat.example https://chat.example:8443"},
		{"https://10.0.0.1", nil, "chat.example", ""},
		{"https://chat.example", []string{"https://app.chat.example", "https://notchat.example", "https://chat.example.evil"}, "x",
			"chat.example https://chat.example https://app.chat.example"},
	} {
		n := newNode(t, func(cfg *Config) { cfg.PublicURL, cfg.AllowedOrigins = c.public, c.allowed })
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Host = c.host
		site := n.server.site(r)
		if got := strings.TrimSpace(site.Name + " " + strings.Join(site.Origins, " ")); got != c.want {
			t.Errorf("%s by %s: got %q, want %q", c.public, c.host, got, c.want)
		}
	}
	n := newNode(t, nil)
	r := httptest.NewRequest(http.MethodPost, v1+"/sessions/passkey/options", nil)
	r.Host = "127.0.0.1"
	if w := serve(n.handler, r); w.Code != http.StatusNotFound {
		t.Errorf("by an address: %d %s", w.Code, w.Body)
	}
}
