package server

import (
	"strings"
	"testing"
	"time"

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
		t.Errorf("reveals too much: %s %v", u.raw, u.header)
	}
	if name := nobody.want(201, "POST", "/users", object{"username": "bob", "password": password}).field("display_name"); name != "bob" {
		t.Errorf("display_name is %q without one", name)
	}
	for _, taken := range []string{"ada", "all", "adrnin", "a-d-m-i-n", "support", "b0b"} {
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
		"nothing to see":     {"username": "eve", "password": password, "display_name": "\u3164"},
		"mixed alphabets":    {"username": "eve", "password": password, "display_name": "Аda"},
		"common password":    {"username": "eve", "password": "Password123"},
		"blank password":     {"username": "eve", "password": "         "},
		"own name":           {"username": "evelyn", "password": "Evelyn-2026"},
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
	if got := ada.want(200, "PATCH", "/me", object{"display_name": "\u202e Ada\nL.", "status_text": "\u2800"}); got.field("display_name") != "Ada L." || got.body["status_text"] != "" {
		t.Errorf("got %s", got.raw)
	}
	ada.refused(chat.BadRequest, "PATCH", "/me", object{"display_name": "\ufeff"})
	ada.refused(chat.BadRequest, "PATCH", "/me", object{"display_name": ""})
	ada.refused(chat.BadRequest, "PATCH", "/me", object{"status_text": strings.Repeat("x", 141)})
	if got := ada.want(200, "PATCH", "/me", object{"status_text": "\u202eone\r\n two\u2066"}); got.field("status_text") != "one two" {
		t.Errorf("got %s", got.raw)
	}
}

func TestStatus(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	until := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	ada.want(200, "PATCH", "/me", object{"status_text": "lunch", "status_emoji": "🍜", "status_until": until, "time_zone": "Asia/Tokyo"})
	seen := bob.want(200, "GET", "/users/"+ada.id, nil)
	if seen.field("status_emoji") != "🍜" || seen.field("status_until") != until || seen.field("time_zone") != "Asia/Tokyo" {
		t.Errorf("others see %s", seen.raw)
	}
	ada.want(200, "PATCH", "/me", object{"display_name": "Ada L."})
	if me := ada.want(200, "GET", "/me", nil); me.field("status_until") != until {
		t.Errorf("another name ends the status: %s", me.raw)
	}
	for _, body := range []object{
		{"status_until": "2020-01-01T00:00:00Z"}, {"status_until": "tomorrow"}, {"status_until": 5}, {"status_emoji": "lunch"},
		{"status_emoji": "🍜🍜"}, {"time_zone": "../etc/passwd"}, {"time_zone": "Local"}, {"time_zone": 2},
	} {
		ada.refused(chat.BadRequest, "PATCH", "/me", body)
	}
	got := ada.want(200, "PATCH", "/me", object{"status_text": "back", "time_zone": ""})
	if got.field("status_emoji") != "🍜" || got.body["status_until"] != nil || got.body["time_zone"] != nil {
		t.Errorf("a new text without an end: %s", got.raw)
	}
	got = ada.want(200, "PATCH", "/me", object{"status_text": "", "status_emoji": "", "status_until": until})
	if got.body["status_emoji"] != nil || got.body["status_until"] != nil {
		t.Errorf("no status ends never: %s", got.raw)
	}
}

// What somebody calls themselves may be another's name, but not look like it.
func TestNamesThatPretend(t *testing.T) {
	n := newNode(t, nil)
	root, ada, bob := n.person("root"), n.person("ada"), n.person("bob")
	ada.want(200, "PATCH", "/me", object{"display_name": "Ada Lovelace"})
	bob.want(200, "PATCH", "/me", object{"display_name": "ada lovelace"})
	bob.want(200, "PATCH", "/me", object{"display_name": "Ada Lovelace"})
	for name, want := range map[string]chat.Code{"Аda Lovelace": chat.BadRequest, "Ada LoveIace": chat.Conflict, "ada": chat.Conflict, "System": chat.Conflict} {
		bob.refused(want, "PATCH", "/me", object{"display_name": name})
	}
	bob.want(200, "PATCH", "/me", object{"display_name": "Ada Lovelace", "status_text": "here"})
	root.want(200, "PATCH", "/me", object{"display_name": "Support"})
}

// An empty id in a list of them does not ask for everybody.
func TestEmptyIDs(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	for _, query := range []string{"id=&id=" + ada.id, "id=" + ada.id + "&id=", "id="} {
		ada.refused(chat.BadRequest, "GET", "/users?"+query, nil)
	}
	for _, query := range []string{"user_id=&user_id=" + ada.id, "user_id=" + ada.id + "&user_id=", "user_id="} {
		ada.refused(chat.BadRequest, "GET", "/presence?"+query, nil)
	}
}

// Whatever stands in a path where an id or an emoji belongs, the route answers it.
func TestOddSegments(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	m := ada.send(ada.group(), "one").field("id")
	nobody := &person{n: n, name: "nobody"}
	odd := []string{"%2F", "%2f", "%2F%2F", "%00", "..", ".", "%2E", "%2E%2E", "%2e%2e%2f", "", "%25", "%3F", "a%2Fb", "%5C", "%FF", "%0A", "%20"}
	for _, segment := range odd {
		for _, method := range []string{"PUT", "DELETE", "GET"} {
			ada.refused(chat.BadRequest, method, "/messages/"+m+"/reactions/"+segment, nil)
			nobody.refused(chat.Unauthenticated, method, "/messages/"+m+"/reactions/"+segment, nil)
		}
		ada.refused(chat.NotFound, "PUT", "/messages/"+segment+"/reactions/👍", nil)
		ada.refused(chat.NotFound, "GET", "/users/"+segment, nil)
		ada.refused(chat.NotFound, "DELETE", "/sessions/"+segment, nil)
		ada.refused(chat.NotFound, "GET", "/chats/"+segment+"/messages", nil)
		ada.refused(chat.NotFound, "PATCH", "/chats/"+segment+"/members/"+ada.id, object{"muted": true})
		nobody.refused(chat.Unauthenticated, "GET", "/chats/"+segment+"/messages", nil)
	}
	if a := ada.do("POST", "/users/%2F", nil); a.status != 405 || a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("a method that the route has not: %d, %v", a.status, a.header)
	}
	ada.refused(chat.NotFound, "GET", "/users/"+ada.id+"/%2F", nil)
	ada.refused(chat.NotFound, "GET", "//users", nil)
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

func TestUsersByID(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	n.person("eve")
	stranger := "0199a0c0-0000-7000-8000-000000000001"
	a := ada.want(200, "GET", "/users?id="+bob.id+"&id="+stranger+"&id="+ada.id+"&id=x&id="+bob.id+"&limit=1", nil)
	var names []string
	for _, u := range a.list(t, "users") {
		names = append(names, textOf(u["username"]))
	}
	if got := strings.Join(names, " "); got != "ada bob" || a.body["next"] != nil {
		t.Errorf("got %s", a.raw)
	}
	for _, nobodys := range []string{"id=" + stranger, "id=%00", "id=%ff", "id=" + strings.ToUpper(ada.id)} {
		if got := ada.want(200, "GET", "/users?"+nobodys, nil); string(got.raw) != `{"users":[]}` {
			t.Errorf("%s: got %s", nobodys, got.raw)
		}
	}
	most := strings.Repeat("&id="+stranger, 199)
	if got := ada.want(200, "GET", "/users?id="+ada.id+most, nil).list(t, "users"); len(got) != 1 {
		t.Errorf("of 200 ids: got %v", got)
	}
	for _, query := range []string{"id=" + ada.id + most + "&id=" + bob.id, "id=" + ada.id + "&q=a", "id=" + ada.id + "&after=a"} {
		ada.refused(chat.BadRequest, "GET", "/users?"+query, nil)
	}
	nobody := &person{n: n, name: "nobody"}
	nobody.refused(chat.Unauthenticated, "GET", "/users?id="+ada.id, nil)
}
