package server

import (
	"strings"
	"testing"

	"fechatter/chat"
)

func TestCreateChat(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	c := ada.want(201, "POST", "/chats", object{"kind": "group", "name": " lunch ", "topic": "where", "member_ids": []string{bob.id, ada.id, bob.id}})
	if c.field("name") != "lunch" || c.field("kind") != "group" || c.field("topic") != "where" || c.field("created_by") != ada.id ||
		c.field("archived") != "false" || c.field("member_count") != "2" || len(c.body["member_ids"].([]any)) != 2 {
		t.Errorf("got %s", c.raw)
	}
	for name, body := range map[string]object{
		"no kind":                {},
		"unknown kind":           {"kind": "secret"},
		"private without name":   {"kind": "private"},
		"public without name":    {"kind": "public", "name": " "},
		"group named by nothing": {"kind": "group", "name": "\u2800"},
		"long name":              {"kind": "group", "name": strings.Repeat("x", 101)},
		"direct with nobody":     {"kind": "direct"},
		"direct with oneself":    {"kind": "direct", "member_ids": []string{ada.id}},
		"direct with a name":     {"kind": "direct", "name": "x", "member_ids": []string{bob.id}},
		"101 members":            {"kind": "group", "member_ids": make([]string, 101)},
		"member_ids not a list":  {"kind": "group", "member_ids": bob.id},
	} {
		if a := ada.do("POST", "/chats", body); a.status != 400 {
			t.Errorf("%s: got %d %s", name, a.status, a.raw)
		}
	}
	for _, id := range []string{"x", "0199a0c0-0000-7000-8000-000000000001"} {
		ada.refused(chat.NotFound, "POST", "/chats", object{"kind": "group", "member_ids": []string{id}})
	}
}

func TestDirectChatIsOnePerPair(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	first := ada.want(201, "POST", "/chats", object{"kind": "direct", "member_ids": []string{bob.id}})
	again := bob.want(200, "POST", "/chats", object{"kind": "direct", "member_ids": []string{ada.id}})
	if first.field("id") != again.field("id") || again.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("first %s, again %s with %v", first.raw, again.raw, again.header)
	}
	path := "/chats/" + first.field("id")
	ada.refused(chat.Conflict, "PATCH", path, object{"name": "x"})
	ada.refused(chat.Conflict, "DELETE", path+"/members/"+ada.id, nil)
	ada.refused(chat.Conflict, "POST", path+"/members", object{"user_id": n.person("eve").id})
}

func TestCreateChatByKey(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	body := object{"kind": "private", "name": "plans", "member_ids": []string{bob.id}}
	first := ada.want(201, "POST", "/chats", body, "Idempotency-Key", "k1")
	again := ada.want(200, "POST", "/chats", body, "Idempotency-Key", "k1")
	if first.field("id") != again.field("id") || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("first %s, again %s with %v", first.raw, again.raw, again.header)
	}
	ada.refused(chat.KeyReused, "POST", "/chats", object{"kind": "private", "name": "other"}, "Idempotency-Key", "k1")
	if other := bob.want(201, "POST", "/chats", body, "Idempotency-Key", "k1"); other.field("id") == first.field("id") {
		t.Error("another user's key answered with this chat")
	}
	ada.refused(chat.BadRequest, "POST", "/chats", body, "Idempotency-Key", strings.Repeat("k", 65))
	ada.refused(chat.BadRequest, "POST", "/chats", body, "Idempotency-Key", "a b")
}

func TestListChats(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	if a := ada.want(200, "GET", "/chats", nil); len(a.list(t, "chats")) != 0 || a.field("epoch") == "" || a.body["next"] != nil {
		t.Errorf("without chats: %s", a.raw)
	}
	older, newer := ada.group(bob), ada.group(bob)
	bob.send(older, strings.Repeat("é", 300))
	entries := ada.want(200, "GET", "/chats", nil).list(t, "chats")
	if len(entries) != 2 || entries[0]["id"] != older || entries[1]["id"] != newer {
		t.Fatalf("the newest activity is not first: %v", entries)
	}
	last, ok := entries[0]["last_message"].(map[string]any)
	if !ok || len([]rune(textOf(last["body"]))) != chat.LastMessageRunes {
		t.Errorf("last_message is %v", last)
	}
	for name, want := range map[string]string{"last_seq": "4", "unread": "1", "mentions": "0", "role": "owner", "muted": "false", "added_seq": "2", "read_seq": "2", "delivered_seq": "2"} {
		if got := textOf(entries[0][name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	page := ada.want(200, "GET", "/chats?limit=1", nil)
	rest := ada.want(200, "GET", "/chats?limit=1&after="+page.field("next"), nil)
	if got := rest.list(t, "chats"); len(got) != 1 || got[0]["id"] != newer || rest.body["next"] != nil {
		t.Errorf("second page is %s", rest.raw)
	}
	ada.refused(chat.BadRequest, "GET", "/chats?after=nonsense", nil)
}

func TestUpdateChat(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	path := "/chats/" + ada.group(bob)
	e := ada.want(200, "PATCH", path, object{"name": "new", "topic": "t"})
	if e.field("name") != "new" || e.field("topic") != "t" || e.field("role") != "owner" || e.field("last_seq") != "4" {
		t.Errorf("got %s", e.raw)
	}
	if e := ada.want(200, "PATCH", path, object{}); e.field("last_seq") != "4" {
		t.Errorf("a change of nothing made an event: %s", e.raw)
	}
	ada.refused(chat.BadRequest, "PATCH", path, object{"name": strings.Repeat("x", 101)})
	ada.refused(chat.BadRequest, "PATCH", path, object{"archived": "yes"})
	ada.want(200, "PATCH", path, object{"archived": true})
	bob.refused(chat.Conflict, "POST", path+"/messages", object{"body": "x"}, "Idempotency-Key", "k")
	ada.want(200, "PATCH", path, object{"archived": false})
	bob.want(201, "POST", path+"/messages", object{"body": "x"}, "Idempotency-Key", "k")
}

func TestPublicChats(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	id := ada.want(201, "POST", "/chats", object{"kind": "public", "name": "Garden"}).field("id")
	ada.want(201, "POST", "/chats", object{"kind": "private", "name": "Gardeners only"})
	found := bob.want(200, "GET", "/chats/public?q=gard", nil)
	if got := found.list(t, "chats"); len(got) != 1 || got[0]["id"] != id || got[0]["joined"] != false || textOf(got[0]["members"]) != "1" {
		t.Errorf("got %s", found.raw)
	}
	bob.refused(chat.NotFound, "GET", "/chats/"+id, nil)
	if e := bob.want(200, "POST", "/chats/"+id+"/join", nil); e.field("role") != "member" || e.field("id") != id {
		t.Errorf("join gave %s", e.raw)
	}
	if e := bob.want(200, "POST", "/chats/"+id+"/join", nil); e.field("last_seq") != "3" {
		t.Errorf("joining again made an event: %s", e.raw)
	}
	if got := bob.want(200, "GET", "/chats/public", nil).list(t, "chats"); got[0]["joined"] != true {
		t.Errorf("got %v", got)
	}
	ada.want(200, "DELETE", "/chats/"+id+"/members/"+bob.id, nil)
	bob.want(200, "POST", "/chats/"+id+"/join", nil)
}

func TestMembers(t *testing.T) {
	n := newNode(t, nil)
	ada, bob, eve := n.person("ada"), n.person("bob"), n.person("eve")
	path := "/chats/" + ada.group(bob) + "/members"
	added := bob.want(201, "POST", path, object{"user_id": eve.id})
	if added.field("user_id") != eve.id || added.field("role") != "member" || added.field("joined_at") == "" || added.body["muted"] != nil {
		t.Errorf("got %s", added.raw)
	}
	bob.want(200, "POST", path, object{"user_id": eve.id})
	bob.refused(chat.Forbidden, "POST", path, object{"user_id": n.person("dan").id, "role": "admin"})
	bob.refused(chat.BadRequest, "POST", path, object{"user_id": eve.id, "role": "king"})
	bob.refused(chat.BadRequest, "POST", path, object{})
	bob.refused(chat.NotFound, "POST", path, object{"user_id": "0199a0c0-0000-7000-8000-000000000001"})
	list := ada.want(200, "GET", path+"?limit=2", nil)
	if got := list.list(t, "members"); len(got) != 2 || got[0]["user_id"] != ada.id || got[0]["role"] != "owner" || list.field("next") == "" {
		t.Errorf("got %s", list.raw)
	}
	if m := eve.want(200, "PATCH", path+"/"+eve.id, object{"muted": true}); m.field("muted") != "true" {
		t.Errorf("got %s", m.raw)
	}
	if m := ada.want(200, "GET", path, nil); strings.Contains(strings.ReplaceAll(string(m.raw), `"muted":false`, ""), "muted") {
		t.Errorf("others see who muted: %s", m.raw)
	}
	ada.refused(chat.Forbidden, "PATCH", path+"/"+eve.id, object{"muted": false})
	ada.refused(chat.Conflict, "PATCH", path+"/"+ada.id, object{"role": "member"})
	ada.refused(chat.Conflict, "DELETE", path+"/"+ada.id, nil)
	ada.want(200, "PATCH", path+"/"+bob.id, object{"role": "admin"})
	bob.refused(chat.Forbidden, "DELETE", path+"/"+ada.id, nil)
	if left := eve.want(200, "DELETE", path+"/"+eve.id, nil); left.field("seq") != "6" {
		t.Errorf("leaving gave %s", left.raw)
	}
	eve.refused(chat.NotFound, "GET", path, nil)
	bob.refused(chat.NotFound, "DELETE", path+"/"+eve.id, nil)
}
