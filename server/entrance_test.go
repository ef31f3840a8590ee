package server

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
)

// byInvitation makes n a deployment where one needs an invitation, with its administrator.
func byInvitation(t *testing.T, change func(*Config)) (n *node, root *person) {
	t.Helper()
	n = newNode(t, change)
	n.server.chat = n.server.chat.WithAdmission(chat.Admission{Registration: chat.ByInvitation})
	code, _, err := n.server.chat.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root = &person{n: n, name: "root"}
	root.want(403, "POST", "/users", object{"username": "root", "password": password})
	root.want(403, "POST", "/users", object{"username": "root", "password": password, "setup_code": strings.Repeat("A", 43)})
	root.id = root.want(201, "POST", "/users", object{"username": "root", "password": password, "setup_code": code}).field("id")
	root.logIn()
	return n, root
}

func TestJoiningByALink(t *testing.T) {
	n, root := byInvitation(t, func(c *Config) { c.PublicURL = "https://chat.example"; c.AllowedHosts = []string{"example.com"} })
	room := root.chat("group")
	made := root.want(201, "POST", "/invitations", object{"chat_ids": []string{room}, "max_uses": 1})
	code := made.field("code")
	if got := made.field("url"); got != "https://chat.example/#join="+code || len(code) != 43 {
		t.Errorf("the link is %s", got)
	}
	stranger := &person{n: n, name: "ann"}
	if got := stranger.want(200, "POST", "/invitations/check", object{"code": code}).field("invited_by"); got != "root" {
		t.Errorf("invited by %s", got)
	}
	stranger.want(403, "POST", "/users", object{"username": "ann", "password": password})
	stranger.want(201, "POST", "/users", object{"username": "ann", "password": password, "invitation": code})
	stranger.logIn()
	stranger.want(200, "GET", "/chats/"+room, nil)
	stranger.want(404, "POST", "/invitations/check", object{"code": code})
	if list := root.want(200, "GET", "/invitations", nil); strings.Contains(string(list.raw), code) {
		t.Error("the list shows the code")
	}
}

// TestLinksWithoutAPublicURL: whoever asks gets an address that works for them.
func TestLinksWithoutAPublicURL(t *testing.T) {
	_, root := byInvitation(t, nil)
	if got := root.want(201, "POST", "/invitations", object{}).field("url"); !strings.HasPrefix(got, "http://example.com/#join=") {
		t.Errorf("the link is %s", got)
	}
	if got := root.want(200, "POST", "/admin/users/"+root.id+"/password-reset", nil).field("url"); !strings.HasPrefix(got, "http://example.com/#reset=") {
		t.Errorf("the link is %s", got)
	}
}

func TestWorkspace(t *testing.T) {
	n, root := byInvitation(t, nil)
	nobody := &person{n: n}
	before := nobody.want(200, "GET", "/workspace", nil)
	for _, want := range []string{`"name":"Fechatter"`, `"registration":"invite"`, `"setup":false`, `"password":true`, `"passkey":true`, `"providers":[]`, `"mail":false`, `"invitations"`} {
		if !strings.Contains(string(before.raw), want) {
			t.Errorf("%s is not in %s", want, before.raw)
		}
	}
	root.want(200, "PATCH", "/workspace", object{"name": "Acme", "registration": "open"})
	if after := nobody.want(200, "GET", "/workspace", nil); after.field("name") != "Acme" || after.field("registration") != "open" {
		t.Errorf("after: %s", after.raw)
	}
	root.want(404, "PATCH", "/workspace", object{"icon": root.id})
	root.want(400, "PATCH", "/workspace", object{"registration": "maybe"})
	nobody.want(201, "POST", "/users", object{"username": "ann", "password": password})
}

// TestWorkspaceReadBefore: what was read before a change is not shown after it, and nobody waits
// for longer than they want to for somebody else who reads.
func TestWorkspaceReadBefore(t *testing.T) {
	c := newWorkspaces()
	before := knownWorkspace{Workspace: chat.Workspace{Name: "before"}, until: time.Now().Add(time.Hour)}
	_, _, forgotten := c.fresh()
	c.forget()
	c.keep(before, forgotten)
	if k, ok, _ := c.fresh(); ok {
		t.Errorf("shown: %+v", k)
	}
	_, _, forgotten = c.fresh()
	c.keep(before, forgotten)
	if k, ok, _ := c.fresh(); !ok || k.Name != "before" {
		t.Errorf("shown: %+v", k)
	}
	c.forget()
	c.reading <- struct{}{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.read(gone, nil); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("while somebody reads: %v", err)
	}
}

// TestNoOracle: nobody learns from an answer whether an account, an address or a code exists.
func TestNoOracle(t *testing.T) {
	n, root := byInvitation(t, nil)
	root.want(202, "PUT", "/me/email", object{"email": "root@example.org", "current_password": password})
	ask := func(path string, body object) string {
		t.Helper()
		a := (&person{n: n}).do("POST", path, body)
		return string(rune('0'+a.status/100)) + string(a.raw) + strings.Join(slices.Sorted(maps.Keys(a.header)), " ")
	}
	for path, bodies := range map[string][]object{
		"/password-resets":          {{"username": "root"}, {"username": "nobody"}, {"username": "?"}, {"email": "root@example.org"}, {"email": "nobody@example.org"}},
		"/password-resets/complete": {{"token": strings.Repeat("A", 43), "new_password": password}, {"token": "x", "new_password": password}},
		"/invitations/check":        {{"code": strings.Repeat("A", 43)}, {"code": "x"}},
	} {
		for _, body := range bodies[1:] {
			if got, want := ask(path, body), ask(path, bodies[0]); got != want {
				t.Errorf("%s %v: %s, want %s", path, body, got, want)
			}
		}
	}
	if seen := root.want(200, "GET", "/users/"+root.id, nil); strings.Contains(string(seen.raw), "example.org") {
		t.Errorf("others see the address: %s", seen.raw)
	}
	if me := root.want(200, "GET", "/me", nil); me.field("email") != "root@example.org" || !strings.Contains(string(me.raw), `"email_verified":false`) {
		t.Errorf("me: %s", me.raw)
	}
}

// TestResetByAdministrator: the link works once, ends sessions, and makes the device known.
func TestResetByAdministrator(t *testing.T) {
	n, root := byInvitation(t, nil)
	code := root.want(201, "POST", "/invitations", object{}).field("code")
	ann := &person{n: n, name: "ann"}
	ann.id = ann.want(201, "POST", "/users", object{"username": "ann", "password": password, "invitation": code}).field("id")
	ann.logIn()
	url := root.want(200, "POST", "/admin/users/"+ann.id+"/password-reset", nil).field("url")
	_, token, _ := strings.Cut(url, "#reset=")
	stranger := &person{n: n}
	stranger.want(400, "POST", "/password-resets/complete", object{"token": token, "new_password": "short"})
	done := stranger.want(204, "POST", "/password-resets/complete", object{"token": token, "new_password": "another password"})
	if !strings.Contains(done.header.Get("Set-Cookie"), deviceCookie) {
		t.Errorf("cookies: %v", done.header)
	}
	stranger.want(404, "POST", "/password-resets/complete", object{"token": token, "new_password": "another password"})
	ann.want(401, "GET", "/me", nil)
	stranger.want(401, "POST", "/sessions", object{"username": "ann", "password": password})
	stranger.want(201, "POST", "/sessions", object{"username": "ann", "password": "another password"})
}

func TestLanguageOfLetters(t *testing.T) {
	for accepted, want := range map[string]string{"": "en", "de": "en", "zh": "zh", "zh-CN,zh;q=0.9,en;q=0.8": "zh", "en-US,zh;q=0.5": "en", "ZH-hant": "zh", "zhx": "en"} {
		if got := languageOf(accepted); got != want {
			t.Errorf("%q: %s, want %s", accepted, got, want)
		}
	}
}
