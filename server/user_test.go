package server

import (
	"strings"
	"testing"

	"fechatter/chat"
)

func TestSignUp(t *testing.T) {
	n := newNode(t, nil)
	nobody := &person{n: n, name: "nobody"}
	u := nobody.want(201, "POST", "/users", object{"username": "ada", "password": password, "display_name": "Ada"})
	if !chat.ValidID(u.field("id")) || u.field("username") != "ada" || u.field("display_name") != "Ada" || u.body["status_text"] != "" || u.field("created_at") == "" {
		t.Errorf("got %s", u.raw)
	}
	if strings.Contains(string(u.raw), "password") || len(u.header.Values("Set-Cookie")) > 0 {
		t.Errorf("says too much: %s %v", u.raw, u.header)
	}
	if name := nobody.want(201, "POST", "/users", object{"username": "bob", "password": password}).field("display_name"); name != "bob" {
		t.Errorf("display_name is %q without one", name)
	}
	for _, taken := range []string{"ada", "all"} {
		nobody.refused(chat.Conflict, "POST", "/users", object{"username": taken, "password": password})
	}
	for name, body := range map[string]object{
		"short username":     {"username": "ab", "password": password},
		"long username":      {"username": strings.Repeat("a", 33), "password": password},
		"upper case":         {"username": "Eve", "password": password},
		"other character":    {"username": "e v e", "password": password},
		"short password":     {"username": "eve", "password": "1234567"},
		"long password":      {"username": "eve", "password": strings.Repeat("x", 129)},
		"no password":        {"username": "eve"},
		"long display name":  {"username": "eve", "password": password, "display_name": strings.Repeat("x", 65)},
		"blank display name": {"username": "eve", "password": password, "display_name": "  "},
	} {
		if a := nobody.do("POST", "/users", body); a.status != 400 {
			t.Errorf("%s: got %d %s", name, a.status, a.raw)
		}
	}
}

func TestProfile(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	a := ada.want(200, "PATCH", "/me", object{"display_name": "Ada L.", "status_text": "<b>here</b>"})
	if a.field("display_name") != "Ada L." || a.field("status_text") != "<b>here</b>" || !strings.Contains(string(a.raw), "<b>") {
		t.Errorf("got %s", a.raw)
	}
	if got := ada.want(200, "PATCH", "/me", object{"status_text": ""}); got.body["status_text"] != "" || got.field("display_name") != "Ada L." {
		t.Errorf("got %s", got.raw)
	}
	if me := ada.want(200, "GET", "/me", nil); me.field("id") != ada.id || me.field("display_name") != "Ada L." {
		t.Errorf("me is %s", me.raw)
	}
	ada.refused(chat.BadRequest, "PATCH", "/me", object{"display_name": ""})
	ada.refused(chat.BadRequest, "PATCH", "/me", object{"status_text": strings.Repeat("x", 141)})
}

func TestDirectory(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	n.person("bob")
	n.person("bobby")
	var names []string
	for next, pages := "", 0; pages == 0 || next != ""; pages++ {
		a := ada.want(200, "GET", "/users?limit=1&after="+next, nil)
		for _, u := range a.list(t, "users") {
			names = append(names, textOf(u["username"]))
		}
		if next = a.field("next"); pages > 3 {
			t.Fatal("the list has no end")
		}
	}
	if got := strings.Join(names, " "); got != "ada bob bobby" {
		t.Errorf("paged: %s", got)
	}
	found := ada.want(200, "GET", "/users?q=BOB", nil)
	if got := found.list(t, "users"); len(got) != 2 || found.body["next"] != nil {
		t.Errorf("q=BOB: %s", found.raw)
	}
	if got := ada.want(200, "GET", "/users?q=nobody", nil); string(got.raw) != `{"users":[]}` {
		t.Errorf("q=nobody: %s", got.raw)
	}
	if got := ada.want(200, "GET", "/users/"+ada.id, nil); got.field("username") != "ada" {
		t.Errorf("got %s", got.raw)
	}
	for _, id := range []string{"0199a0c0-0000-7000-8000-000000000001", "x", "%00", "..%2fme", strings.ToUpper(ada.id)} {
		ada.refused(chat.NotFound, "GET", "/users/"+id, nil)
	}
	for _, query := range []string{"limit=0", "limit=201", "limit=-1", "limit=x", "limit=1.5", "after=nonsense", "q=%ff", "q=%00", "q=" + strings.Repeat("x", 65)} {
		ada.refused(chat.BadRequest, "GET", "/users?"+query, nil)
	}
	ada.want(200, "GET", "/users?limit=200", nil)
}
