package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"fechatter/chat"
)

func (p *person) auditedActs(t *testing.T) (acts []string) {
	t.Helper()
	for _, e := range p.want(200, "GET", "/admin/audit?limit=200", nil).list(t, "entries") {
		if e["action"] == "acted.as" {
			acts = append(acts, textOf(e["actor"])+" as "+textOf(e["subject"])+" "+textOf(e["detail"]))
		}
	}
	return acts
}

// TestActingIsAudited: before what a key does in somebody's name is done, the audit log knows;
// it is told of the same once an hour, and of reading never.
func TestActingIsAudited(t *testing.T) {
	n := newNode(t, nil)
	root, ann := n.person("root"), n.person("ann")
	id := ann.group()
	bot := root.key("read", "send", "act_as")
	bot.as = "ann"
	for range 3 {
		if got := bot.send(id, "hello").field("sender_id"); got != ann.id {
			t.Errorf("sent by %s", got)
		}
	}
	bot.want(200, "GET", "/chats/"+id+"/messages", nil)
	what := bot.id + " as " + ann.id + " POST /api/v1/chats/{id}/messages"
	if acts := root.auditedActs(t); len(acts) != 1 || acts[0] != what {
		t.Errorf("the audit log has %q, want %q once", acts, what)
	}
	bot.want(200, "PUT", "/chats/"+id+"/cursor", object{"read_seq": 1})
	if acts := root.auditedActs(t); len(acts) != 2 {
		t.Errorf("the audit log has %q", acts)
	}
	bot.as = "nobody"
	bot.refused(chat.NotFound, "GET", "/me", nil)
	ann.as = root.id
	ann.refused(chat.Forbidden, "GET", "/me", nil)
	ann.as = ""
	bot.as = ann.id
	if got := bot.want(200, "GET", "/me", nil).field("id"); got != ann.id {
		t.Errorf("by id it acts as %s", got)
	}
	bot.refused(chat.BadRequest, "GET", "/events", nil)
}

func TestActingIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newActing()
		a.tell("x", time.Now())
		time.Sleep(actingEvery - time.Second)
		if a.isNews("x", time.Now()) || !a.isNews("y", time.Now()) {
			t.Error("what was told within the hour is news, or what was not is none")
		}
		time.Sleep(time.Second)
		if !a.isNews("x", time.Now()) {
			t.Error("after an hour it is no news")
		}
		for i := range maxActing + 1 {
			a.tell(fmt.Sprint(i), time.Now())
		}
		if len(a.told) > maxActing {
			t.Errorf("%d things are remembered", len(a.told))
		}
	})
}

// TestBatch: each operation answers what it would alone, in order, whatever becomes of the
// others, and none escapes the rights of who asks.
func TestBatch(t *testing.T) {
	n := newNode(t, nil)
	root, ann := n.person("root"), n.person("ann")
	id := ann.group()
	bot := root.key("admin", "manage", "send", "act_as")
	batch := func(who *person, operations ...object) []map[string]any {
		t.Helper()
		return who.want(200, "POST", "/admin/batch", object{"operations": operations}).list(t, "results")
	}
	message := object{"method": "POST", "path": "/api/v1/chats/" + id + "/messages", "body": object{"body": "hello"}, "key": "once", "user": "ann"}
	results := batch(bot,
		object{"method": "PUT", "path": "/admin/users/by-external-id/crm%2F7", "body": object{"username": "seven"}},
		message, message,
		object{"method": "POST", "path": "/chats", "body": object{"kind": "group"}},
		object{"method": "GET", "path": "/chats"},
		object{"method": "POST", "path": "/admin/batch", "body": object{"operations": []object{{"method": "GET", "path": "/me"}}}},
		object{"method": "GET", "path": "/events"},
		object{"method": "POST", "path": "/sessions", "body": object{"username": "ann", "password": password}},
		object{"method": "BREW ME", "path": "/chats"},
		object{"method": "GET", "path": "http://elsewhere/chats"},
		object{"method": "POST", "path": "/chats/" + id + "/messages", "body": []int{1}, "key": "k"},
		object{"method": "PUT", "path": "/me/blocks/" + root.id},
		object{"method": "POST", "path": "/chats/" + id + "/typing", "body": object{"typing": true}, "user": ann.id},
	)
	for i, want := range []int{201, 201, 200, 201, 403, 404, 404, 404, 400, 404, 400, 403, 204} {
		if i >= len(results) || results[i]["status"] != float64(want) {
			t.Errorf("operation %d: %v, want %d", i, results[i], want)
		}
	}
	if m, ok := results[1]["body"].(map[string]any); !ok || m["sender_id"] != ann.id || m["body"] != "hello" {
		t.Errorf("the message is %v", results[1]["body"])
	}
	ann.refused(chat.Forbidden, "POST", "/admin/batch", object{"operations": []object{{"method": "GET", "path": "/me"}}})
	root.refused(chat.BadRequest, "POST", "/admin/batch", object{"operations": []object{}})
	many := make([]object, 201)
	for i := range many {
		many[i] = object{"method": "GET", "path": "/me"}
	}
	root.refused(chat.BadRequest, "POST", "/admin/batch", object{"operations": many})
	if got := batch(root, many[:200]...); len(got) != 200 || got[199]["status"] != float64(200) {
		t.Errorf("200 operations answer %d times", len(got))
	}
}

// TestLargeBatch: a batch may be larger than any other request, but not without end.
func TestLargeBatch(t *testing.T) {
	n := newNode(t, nil)
	root := n.person("root")
	id := root.group()
	text := strings.Repeat("x", 4000)
	var operations []object
	for range 100 {
		operations = append(operations, object{"method": "POST", "path": "/chats/" + id + "/messages", "body": object{"body": text}, "key": uuid.NewString()})
	}
	for i, r := range root.want(200, "POST", "/admin/batch", object{"operations": operations}).list(t, "results") {
		if r["status"] != float64(201) {
			t.Errorf("operation %d: %v", i, r)
		}
	}
	many := make([]object, 150)
	for i := range many {
		many[i] = object{"method": "GET", "path": "/chats/" + id + "/messages?limit=200"}
	}
	results := root.want(200, "POST", "/admin/batch", object{"operations": many}).list(t, "results")
	if results[0]["status"] != float64(200) || results[149]["status"] != float64(503) {
		t.Errorf("the first answers %v, the last %v", results[0]["status"], results[149]["status"])
	}
	root.refused(chat.TooLarge, "POST", "/admin/batch", object{"operations": []object{{"method": "GET", "path": strings.Repeat("x", 2<<20)}}})
}

// TestExternalIDs: any id has its own user, also one that looks like a part of another path.
func TestExternalIDs(t *testing.T) {
	n := newNode(t, nil)
	root := n.person("root")
	seen := map[string]bool{}
	for i, id := range []string{"42", "administrator", "a%2Fb", "auth0%7C5f7", "sessions", "%E7%8E%8B", "..."} {
		a := root.want(201, "PUT", "/admin/users/by-external-id/"+id, object{"username": fmt.Sprintf("user%d", i)})
		seen[a.field("id")] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d users for seven ids", len(seen))
	}
	root.refused(chat.NotFound, "PUT", "/admin/by-external-id/42", object{"username": "other"})
	var doc struct {
		Paths map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(n.server.documents.openapi, &doc); err != nil || doc.Paths["/api/v1/admin/users/by-external-id/{external_id}"] == nil {
		t.Errorf("the document does not have the path (%v)", err)
	}
}

// TestKeyExpires: a connection that lives by a key ends with it.
func TestKeyExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t, nil)
		now := chat.TimeOf(time.Now())
		c.mu.Lock()
		c.session = chat.Session{UserID: "bot", KeyOf: "bot", LastUsedAt: now, EndsAt: now.Add(time.Minute)}
		c.willExpire(c.session)
		c.mu.Unlock()
		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		c.Message(true, []byte(`{"id":"1","op":"ping"}`))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := <-answers; !strings.Contains(got, `"re":"1","op":"ok"`) || !strings.Contains(got, closing(closeExpired)) {
			t.Errorf("it was told %q", got)
		}
	})
}
