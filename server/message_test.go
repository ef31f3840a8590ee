package server

import (
	"net/url"
	"strings"
	"testing"

	"fechatter/chat"
)

func TestSendMessage(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	chatID := ada.group(bob)
	path := "/chats/" + chatID + "/messages"
	m := ada.want(201, "POST", path, object{"body": "hi @bob and @all"}, "Idempotency-Key", "k1")
	if m.field("chat_id") != chatID || m.field("sender_id") != ada.id || m.field("seq") != "4" || m.field("version") != "1" || m.field("body") != "hi @bob and @all" ||
		m.field("mentions") != `["`+bob.id+`"]` || m.field("mentions_all") != "true" || m.field("reactions") != "[]" || m.field("created_at") == "" || m.body["edited_at"] != nil {
		t.Errorf("got %s", m.raw)
	}
	reply := bob.want(201, "POST", path, object{"body": "<b>&", "reply_to": m.field("id")}, "Idempotency-Key", "k1")
	if reply.field("reply_to") != m.field("id") || !strings.Contains(string(reply.raw), "<b>&") {
		t.Errorf("got %s", reply.raw)
	}
	other := ada.send(ada.group(bob), "elsewhere").field("id")
	for name, tc := range map[string]struct {
		key  string
		body object
	}{
		"no key":                 {"", object{"body": "x"}},
		"long key":               {strings.Repeat("k", 65), object{"body": "x"}},
		"key with a space":       {"a b", object{"body": "x"}},
		"key beyond ASCII":       {"é", object{"body": "x"}},
		"no body":                {"n", object{}},
		"empty body":             {"n", object{"body": ""}},
		"white space":            {"n", object{"body": " \n\t\u3000"}},
		"nothing to see":         {"n", object{"body": "\u200b\u2800\u3164\ufeff"}},
		"body is a number":       {"n", object{"body": 1}},
		"reply to elsewhere":     {"n", object{"body": "x", "reply_to": other}},
		"reply to no message":    {"n", object{"body": "x", "reply_to": "0199a0c0-0000-7000-8000-000000000001"}},
		"reply to no identifier": {"n", object{"body": "x", "reply_to": "x"}},
	} {
		a := ada.do("POST", path, tc.body, "Idempotency-Key", tc.key)
		if a.status != 400 || a.field("code") != "bad_request" {
			t.Errorf("%s: got %d %s", name, a.status, a.raw)
		}
	}
	tooLong := object{"body": strings.Repeat("é", 8<<10) + "x"}
	if a := ada.do("POST", path, tooLong, "Idempotency-Key", "n"); a.status != 413 || a.field("code") != "too_large" {
		t.Errorf("too long: got %d %s", a.status, a.raw)
	}
	ada.want(201, "POST", path, object{"body": strings.Repeat("é", 8<<10)}, "Idempotency-Key", "longest")
	if e := ada.want(200, "GET", "/chats/"+chatID, nil); e.field("last_seq") != "6" {
		t.Errorf("refusals left something behind: %s", e.raw)
	}
}

func TestSendIsIdempotent(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	chatID := ada.group(bob)
	path := "/chats/" + chatID + "/messages"
	first := bob.want(201, "POST", path, object{"body": "once"}, "Idempotency-Key", "k!~")
	if first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("a first send claims to be a replay: %v", first.header)
	}
	replay := func() answer { return bob.want(200, "POST", path, object{"body": "once"}, "Idempotency-Key", "k!~") }
	if again := replay(); string(again.raw) != string(first.raw) || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("first %s, again %s with %v", first.raw, again.raw, again.header)
	}
	bob.refused(chat.KeyReused, "POST", path, object{"body": "twice"}, "Idempotency-Key", "k!~")
	bob.refused(chat.KeyReused, "POST", path, object{"body": "once", "reply_to": first.field("id")}, "Idempotency-Key", "k!~")
	if other := ada.want(201, "POST", path, object{"body": "once"}, "Idempotency-Key", "k!~"); other.field("id") == first.field("id") {
		t.Error("another sender's key answered with this message")
	}
	if other := bob.want(201, "POST", "/chats/"+ada.group(bob)+"/messages", object{"body": "once"}, "Idempotency-Key", "k!~"); other.field("id") == first.field("id") {
		t.Error("the key counted in another chat")
	}
	bob.want(200, "PATCH", "/messages/"+first.field("id"), object{"body": "edited", "version": 1})
	if again := replay(); again.field("body") != "edited" || again.field("version") != "2" {
		t.Errorf("after an edit: %s", again.raw)
	}
	bob.want(200, "DELETE", "/messages/"+first.field("id"), nil)
	if again := replay(); again.body["body"] != "" || again.field("deleted_at") == "" || again.field("seq") != first.field("seq") {
		t.Errorf("after a deletion: %s", again.raw)
	}
	ada.want(200, "PATCH", "/chats/"+chatID, object{"archived": true})
	replay()
	ada.want(200, "DELETE", "/chats/"+chatID+"/members/"+bob.id, nil)
	gone := replay()
	if len(gone.body) != 4 || gone.field("message_id") != first.field("id") || gone.field("seq") != first.field("seq") ||
		gone.field("ts") != first.field("created_at") || gone.field("replayed") != "true" {
		t.Errorf("after a removal: %s", gone.raw)
	}
	bob.refused(chat.NotFound, "POST", path, object{"body": "new"}, "Idempotency-Key", "k2")
	bob.refused(chat.KeyReused, "POST", path, object{"body": "new"}, "Idempotency-Key", "k!~")
}

func TestEditMessage(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	m := ada.send(ada.group(bob), "one")
	path := "/messages/" + m.field("id")
	edited := ada.want(200, "PATCH", path, object{"body": "two @bob", "version": 1})
	if edited.field("body") != "two @bob" || edited.field("version") != "2" || edited.field("edited_at") == "" || edited.field("mentions") != `["`+bob.id+`"]` || edited.field("seq") != m.field("seq") {
		t.Errorf("got %s", edited.raw)
	}
	ada.want(200, "PATCH", path, object{"body": "two @bob", "version": 1}) // the same again
	old := ada.refused(chat.Conflict, "PATCH", path, object{"body": "three", "version": 1})
	if now, ok := old.body["message"].(map[string]any); !ok || now["body"] != "two @bob" || textOf(now["version"]) != "2" {
		t.Errorf("the conflict carries %v", old.body["message"])
	}
	for _, body := range []object{{"body": "x"}, {"version": 2}, {"body": " ", "version": 2}, {"body": "x", "version": "2"}, {"body": "x", "version": 0}, {"body": "x", "version": -1}} {
		ada.refused(chat.BadRequest, "PATCH", path, body)
	}
	bob.refused(chat.Forbidden, "PATCH", path, object{"body": "x", "version": 2})
	if seq := ada.want(200, "DELETE", path, nil).field("seq"); seq != "6" || ada.want(200, "DELETE", path, nil).field("seq") != seq {
		t.Errorf("deleting twice: %s first", seq)
	}
	ada.refused(chat.Conflict, "PATCH", path, object{"body": "x", "version": 3})
	if gone := bob.want(200, "GET", path, nil); gone.body["body"] != "" || gone.field("deleted_at") == "" || gone.field("mentions") != "[]" {
		t.Errorf("deleted: %s", gone.raw)
	}
	bob.refused(chat.NotFound, "GET", "/messages/x", nil)
	bob.refused(chat.NotFound, "DELETE", "/messages/0199a0c0-0000-7000-8000-000000000001", nil)
}

func TestReactions(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	m := ada.send(ada.group(bob), "one").field("id")
	at := func(emoji string) string { return "/messages/" + m + "/reactions/" + emoji }
	for _, emoji := range []string{"👍", "❤️", "👩🏽‍❤️‍💋‍👨🏿", "#️⃣", "*️⃣", "0️⃣", "❓", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"} {
		path := at(url.PathEscape(emoji))
		if added := ada.want(200, "PUT", path, nil); added.field("seq") == "" {
			t.Errorf("%s: %s", emoji, added.raw)
		}
		if again := ada.want(200, "PUT", path, nil); string(again.raw) != "{}" {
			t.Errorf("%s again: %s", emoji, again.raw)
		}
		reactions := ada.want(200, "GET", "/messages/"+m, nil).list(t, "reactions")
		if len(reactions) != 1 || reactions[0]["emoji"] != emoji || reactions[0]["me"] != true || textOf(reactions[0]["count"]) != "1" {
			t.Errorf("%s: reactions are %v", emoji, reactions)
		}
		if removed := ada.want(200, "DELETE", path, nil); removed.field("seq") == "" {
			t.Errorf("%s removed: %s", emoji, removed.raw)
		}
		if again := ada.want(200, "DELETE", path, nil); string(again.raw) != "{}" {
			t.Errorf("%s removed again: %s", emoji, again.raw)
		}
	}
	bare, coloured := at(url.PathEscape("❤")), at(url.PathEscape("❤️"))
	ada.want(200, "PUT", bare, nil)
	if again := ada.want(200, "PUT", coloured, nil); string(again.raw) != "{}" {
		t.Errorf("❤️ beside ❤: %s", again.raw)
	}
	bob.want(200, "PUT", coloured, nil)
	if r := ada.want(200, "GET", "/messages/"+m, nil).list(t, "reactions"); len(r) != 1 || r[0]["emoji"] != "❤" || textOf(r[0]["count"]) != "2" {
		t.Errorf("❤ and ❤️ are %v", r)
	}
	if list := ada.want(200, "GET", coloured, nil); list.field("user_ids") != `["`+ada.id+`","`+bob.id+`"]` {
		t.Errorf("who reacted with ❤️: %s", list.raw)
	}
	ada.want(200, "DELETE", coloured, nil)
	bob.want(200, "DELETE", bare, nil)
	thumb := at(url.PathEscape("👍"))
	ada.want(200, "PUT", thumb, nil)
	bob.want(200, "PUT", thumb, nil)
	list := bob.want(200, "GET", thumb+"?limit=1", nil)
	rest := bob.want(200, "GET", thumb+"?limit=1&after="+list.field("next"), nil)
	if list.field("user_ids") != `["`+ada.id+`"]` || rest.field("user_ids") != `["`+bob.id+`"]` || rest.body["next"] != nil {
		t.Errorf("got %s and %s", list.raw, rest.raw)
	}
	for _, bad := range []string{"%20", "a%20b", "%00", "%ff", "%E2%80%8B", strings.Repeat("x", 65)} {
		ada.refused(chat.BadRequest, "PUT", at(bad), nil)
	}
	ada.want(200, "DELETE", "/messages/"+m, nil)
	ada.refused(chat.Conflict, "PUT", thumb, nil)
}
