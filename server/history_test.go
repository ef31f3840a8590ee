package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
)

func seqs(t *testing.T, a answer) string {
	t.Helper()
	var all []string
	for _, m := range a.list(t, "messages") {
		all = append(all, textOf(m["seq"]))
	}
	return strings.Join(all, " ")
}

func TestHistory(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	path := "/chats/" + ada.group(bob) + "/messages"
	for i := range 6 { // seq 4 to 9
		ada.want(201, "POST", path, object{"body": "x"}, "Idempotency-Key", fmt.Sprint(i))
	}
	for query, want := range map[string]string{
		"":                           "4 5 6 7 8 9 more=false",
		"?limit=2":                   "8 9 more=true",
		"?before_seq=8&limit=2":      "6 7 more=true",
		"?before_seq=6&limit=2":      "4 5 more=false",
		"?before_seq=0":              " more=false",
		"?after_seq=5&limit=2":       "6 7 more=true",
		"?after_seq=0&limit=200":     "4 5 6 7 8 9 more=false",
		"?after_seq=9":               " more=false",
		"?around_seq=6&limit=3":      "5 6 7 more=true before=true after=true",
		"?around_seq=4&limit=3":      "4 5 6 more=true before=false after=true",
		"?around_seq=6&limit=200":    "4 5 6 7 8 9 more=false before=false after=false",
		"?around_seq=6&limit=1":      "6 more=true before=true after=true",
		"?before_seq=&limit=1":       "9 more=true",
		"?unknown=1&limit=1":         "9 more=true",
		"?limit=1&before_seq=%37":    "6 more=true",
		"?after_seq=5&limit=1&limit": "6 more=true",
	} {
		a := bob.want(200, "GET", path+query, nil)
		got := seqs(t, a) + " more=" + a.field("has_more")
		if strings.Contains(query, "around") {
			got += " before=" + a.field("has_before") + " after=" + a.field("has_after")
		} else if a.body["has_before"] != nil {
			t.Errorf("%s: has_before in %s", query, a.raw)
		}
		if got != want || a.field("last_seq") != "9" || a.field("epoch") == "" {
			t.Errorf("%s: got %q of %s, want %q", query, got, a.field("last_seq"), want)
		}
	}
	for _, query := range []string{"before_seq=x", "before_seq=-1", "after_seq=1.5", "around_seq=9223372036854775808", "limit=0", "limit=201", "before_seq=1&after_seq=1", "after_seq=1&around_seq=1"} {
		bob.refused(chat.BadRequest, "GET", path+"?"+query, nil)
	}
}

func TestEventsRoute(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	chatID := ada.group(bob)
	m := ada.want(201, "POST", "/chats/"+chatID+"/messages", object{"body": "hello"}, "Idempotency-Key", "k")
	path := "/chats/" + chatID + "/events"
	a := bob.want(200, "GET", path, nil)
	var ops []string
	for i, e := range a.list(t, "events") {
		ops = append(ops, textOf(e["op"]))
		if textOf(e["seq"]) != fmt.Sprint(i+1) || e["chat_id"] != chatID || e["actor_id"] != ada.id || e["ts"] == nil {
			t.Errorf("event %d is %v", i+1, e)
		}
		if d, ok := e["d"].(map[string]any); e["op"] == "message.created" && (!ok || d["id"] != m.field("id") || d["key"] != "k" || textOf(d["reactions"]) != "[]") {
			t.Errorf("message.created is %v", e)
		}
	}
	if got := strings.Join(ops, " "); got != "chat.created member.added member.added message.created" || a.field("last_seq") != "4" || a.field("epoch") == "" || a.body["reset"] != nil {
		t.Errorf("got %s in %s", got, a.raw)
	}
	if a := bob.want(200, "GET", path+"?after_seq=3&limit=1", nil); len(a.list(t, "events")) != 1 {
		t.Errorf("after 3: %s", a.raw)
	}
	if a := bob.want(200, "GET", path+"?after_seq=4", nil); a.field("events") != "[]" {
		t.Errorf("after 4: %s", a.raw)
	}
	for _, query := range []string{"after_seq=-1", "after_seq=x", "limit=0", "limit=201"} {
		bob.refused(chat.BadRequest, "GET", path+"?"+query, nil)
	}
}

func TestCursors(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	chatID := ada.group(bob)
	ada.send(chatID, "one")
	ada.send(chatID, "two @bob")
	path := "/chats/" + chatID + "/cursor"
	for _, step := range []struct {
		body                              object
		read, delivered, unread, mentions string
	}{
		{object{"delivered_seq": 4}, "3", "4", "2", "1"},
		{object{"read_seq": 4}, "4", "4", "1", "1"},
		{object{"read_seq": 3, "delivered_seq": 2}, "4", "4", "1", "1"},
		{object{"read_seq": 1000}, "5", "5", "0", "0"},
	} {
		a := bob.want(200, "PUT", path, step.body)
		if a.field("user_id") != bob.id || a.field("read_seq") != step.read || a.field("delivered_seq") != step.delivered || a.field("unread") != step.unread || a.field("mentions") != step.mentions {
			t.Errorf("%v: got %s", step.body, a.raw)
		}
	}
	for _, body := range []object{{}, {"read_seq": -1}, {"read_seq": "4"}, {"read_seq": 1.5}, {"read_seq": nil}} {
		bob.refused(chat.BadRequest, "PUT", path, body)
	}
	cursors := ada.want(200, "GET", path+"s", nil).list(t, "cursors")
	read := map[any]string{}
	for _, c := range cursors {
		read[c["user_id"]] = textOf(c["read_seq"])
	}
	if len(cursors) != 2 || read[ada.id] != "5" || read[bob.id] != "5" {
		t.Errorf("cursors are %v", cursors)
	}
}

func TestSendsAreLimitedPerUser(t *testing.T) {
	n := newNode(t, nil)
	n.server.rates.sends = newLimiter(1, time.Hour, 5) // five, and no more in the time of a test
	ada, bob := n.person("ada"), n.person("bob")
	chatID := ada.group(bob)
	path := "/chats/" + chatID + "/messages"
	m := ada.want(201, "POST", path, object{"body": "one"}, "Idempotency-Key", "k1").field("id")
	for range 5 {
		ada.want(200, "POST", path, object{"body": "one"}, "Idempotency-Key", "k1") // costs nothing
	}
	ada.want(200, "PATCH", "/messages/"+m, object{"body": "two", "version": 1})
	ada.want(200, "PUT", "/messages/"+m+"/reactions/👍", nil)
	ada.want(200, "DELETE", "/messages/"+m+"/reactions/👍", nil)
	refused := ada.refused(chat.RateLimited, "POST", path, object{"body": "two"}, "Idempotency-Key", "k2")
	if !anHour(refused) || refused.field("retry_after_ms") == "" {
		t.Errorf("got %v %s", refused.header, refused.raw)
	}
	ada.refused(chat.RateLimited, "PATCH", "/messages/"+m, object{"body": "three", "version": 2})
	ada.refused(chat.RateLimited, "PUT", "/messages/"+m+"/reactions/👎", nil)
	ada.want(200, "POST", path, object{"body": "one"}, "Idempotency-Key", "k1")
	ada.refused(chat.KeyReused, "POST", path, object{"body": "else"}, "Idempotency-Key", "k1")
	ada.refused(chat.RateLimited, "DELETE", "/messages/"+m, nil)
	bob.want(201, "POST", path, object{"body": "mine"}, "Idempotency-Key", "k1")
}
