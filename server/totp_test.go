package server

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"fechatter/chat"
	"fechatter/signin"
)

// requiring returns a node on which somebody must have a second factor.
func (n *node) requiring(who chat.Requirement) {
	n.server.chat = n.server.chat.WithSignIn(chat.SignIn{Codes: signin.NewTOTP("Fechatter"), Passkeys: signin.NewPasskeys("Fechatter"), Require: who})
}

// codeAt returns a code of a secret, so many steps from now.
func codeAt(t *testing.T, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// setUpTOTP gives somebody codes, of which that of this step is used.
func (p *person) setUpTOTP() (secret string, recovery []string) {
	p.n.t.Helper()
	a := p.want(200, "POST", "/me/totp", object{"current_password": password})
	secret = a.field("secret")
	if !strings.HasPrefix(a.field("uri"), "otpauth://totp/Fechatter:"+p.name+"?") {
		p.n.t.Errorf("the address is %s", a.field("uri"))
	}
	codes, _ := p.want(200, "POST", "/me/totp/confirm", object{"code": codeAt(p.n.t, secret, 0)}).body["recovery_codes"].([]any)
	for _, code := range codes {
		recovery = append(recovery, textOf(code))
	}
	if len(recovery) != 10 {
		p.n.t.Fatalf("recovery codes are %v", recovery)
	}
	return secret, recovery
}

// challenged logs in by password, and returns the challenge.
func (p *person) challenged() string {
	p.n.t.Helper()
	a := p.refused(chat.SecondFactor, "POST", "/sessions", object{"username": p.name, "password": password})
	if a.status != 401 || textOf(a.body["methods"]) != `["totp","recovery_code"]` || len(a.field("challenge")) != 43 {
		p.n.t.Fatalf("got %d %s", a.status, a.raw)
	}
	return a.field("challenge")
}

func TestLogInWithASecondFactor(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	secret, recovery := ada.setUpTOTP()
	if me := ada.want(200, "GET", "/me", nil); textOf(me.body["second_factor"]) != `["totp","recovery_code"]` {
		t.Errorf("me is %s", me.raw)
	}
	browser := &person{n: n, name: "ada"}
	challenge := browser.challenged()
	wrong := browser.refused(chat.SecondFactor, "POST", "/sessions", object{"challenge": challenge, "totp": "000000"})
	if wrong.field("challenge") != challenge {
		t.Errorf("a wrong code answers %s", wrong.raw)
	}
	code := codeAt(t, secret, 1)
	a := browser.want(201, "POST", "/sessions", object{"challenge": challenge, "totp": code[:3] + " " + code[3:], "device": "laptop"})
	if c := cookieOf(t, a); c == nil || c.Value != a.field("token") {
		t.Errorf("the cookie is %v", c)
	}
	browser.token = a.field("token")
	browser.want(200, "GET", "/me", nil)
	browser.refused(chat.Unauthenticated, "POST", "/sessions", object{"challenge": challenge, "totp": codeAt(t, secret, 2)})
	challenge = browser.challenged()
	browser.refused(chat.SecondFactor, "POST", "/sessions", object{"challenge": challenge, "totp": code}) // replayed
	browser.want(201, "POST", "/sessions", object{"challenge": challenge, "recovery_code": recovery[0]})
	challenge = browser.challenged()
	for range 4 {
		browser.refused(chat.SecondFactor, "POST", "/sessions", object{"challenge": challenge, "recovery_code": recovery[0]})
	}
	browser.refused(chat.Unauthenticated, "POST", "/sessions", object{"challenge": challenge, "recovery_code": recovery[0]})
	browser.refused(chat.Unauthenticated, "POST", "/sessions", object{"challenge": challenge, "recovery_code": recovery[1]})
}

func TestSecondStepIsOneOfTwo(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	for _, body := range []object{
		{}, {"username": "ada"}, {"password": password}, {"challenge": "x"}, {"totp": "123456"}, {"recovery_code": "x"},
		{"challenge": "x", "totp": "123456", "recovery_code": "x"}, {"challenge": "x", "totp": "123456", "username": "ada"},
		{"username": "ada", "password": password, "totp": "123456"},
	} {
		ada.refused(chat.BadRequest, "POST", "/sessions", body)
	}
	ada.refused(chat.Unauthenticated, "POST", "/sessions", object{"challenge": "x", "totp": "123456"})
}

func TestRemovingTOTPNeedsProof(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	secret, recovery := ada.setUpTOTP()
	ada.refused(chat.Forbidden, "POST", "/me/totp", object{"current_password": password}) // nor are they replaced without
	for _, body := range []object{
		{"current_password": "wrong password", "code": codeAt(t, secret, 0)}, {"current_password": password, "code": "000000"},
	} {
		ada.refused(chat.Forbidden, "DELETE", "/me/totp", body)
	}
	ada.refused(chat.BadRequest, "DELETE", "/me/totp", object{"current_password": password})
	ada.want(204, "DELETE", "/me/totp", object{"current_password": password, "code": recovery[4]})
	ada.logIn()
}

// Who must have a second factor and has none can set one up and log out, and nothing else.
func TestRequiredSecondFactor(t *testing.T) {
	n := newNode(t, nil)
	boss, ada := n.person("boss"), n.person("ada")
	n.requiring(chat.RequireAdministrators)
	ada.want(200, "GET", "/chats", nil)
	for _, r := range n.server.routes() {
		if r.access != signedIn && r.access != itself || r.path == "/ws" {
			continue
		}
		a := boss.do(r.method, strings.TrimPrefix(r.path, v1), nil)
		if a.status != 403 || !strings.Contains(a.field("detail"), "second factor") {
			t.Errorf("%s %s: got %d %s", r.method, r.path, a.status, a.raw)
		}
	}
	if me := boss.want(200, "GET", "/me", nil); me.body["must_set_up_second_factor"] != true {
		t.Errorf("me is %s", me.raw)
	}
	boss.setUpTOTP()
	boss.want(200, "GET", "/chats", nil)
	if me := boss.want(200, "GET", "/me", nil); me.body["must_set_up_second_factor"] != nil {
		t.Errorf("me is %s", me.raw)
	}
	n.requiring(chat.RequireEveryone)
	ada.refused(chat.Forbidden, "GET", "/chats", nil)
	ada.want(204, "DELETE", "/sessions/current", nil)
}

// Whoever has a password and guesses codes waits; its owner gets in from a device that
// the account knows, and the password still works there.
func TestGuessedCodes(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	secret, recovery := ada.setUpTOTP()
	thief := &person{n: n, name: "ada"}
	var last answer
	for range 20 {
		challenge := thief.challenged()
		if last = thief.do("POST", "/sessions", object{"challenge": challenge, "totp": "000000"}, "X-Forwarded-For", "203.0.113.9"); last.status == 429 {
			break
		}
	}
	if last.status != 429 || last.header.Get("Retry-After") == "" {
		t.Fatalf("the thief gets %d %s", last.status, last.raw)
	}
	thief.refused(chat.RateLimited, "POST", "/sessions", object{"challenge": thief.challenged(), "totp": codeAt(t, secret, 0)})
	ada.want(201, "POST", "/sessions", object{"challenge": ada.challenged(), "recovery_code": recovery[0]})
}
