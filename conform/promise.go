package conform

import (
	"net/http"
	"slices"
	"sync/atomic"

	"fechatter/conform/client"
)

// §2, the promises.

func ackIsDurable(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	ack := c.ada.Fresh().OK("message.send", object{"chat_id": id, "key": client.NewKey(), "body": "hello"})
	var s sent
	decode(t, ack.D, &s)
	m := get[message](c.bob, "/messages/"+s.MessageID)
	equal(t, "seq", m.Seq, s.Seq)
	equal(t, "created_at", m.CreatedAt, s.TS)
	equal(t, "body", m.Body, "hello")
	equal(t, "replayed", s.Replayed, false)
}

func onceByBothWays(t *T, c *cast) {
	id := c.ada.Group()
	s := c.ada.Fresh()
	path := "/chats/" + id + "/messages"
	bySocket, byREST := client.NewKey(), client.NewKey()
	var first, again sent
	decode(t, s.OK("message.send", object{"chat_id": id, "key": bySocket, "body": "one"}).D, &first)
	var m message
	h := c.ada.Rest("POST", path, object{"body": "one"}, http.StatusOK, &m, "Idempotency-Key", bySocket)
	equal(t, "Idempotent-Replayed", h.Get("Idempotent-Replayed"), "true")
	equal(t, "id of the replay", m.ID, first.MessageID)
	h = c.ada.Rest("POST", path, object{"body": "two"}, http.StatusCreated, &m, "Idempotency-Key", byREST)
	equal(t, "Idempotent-Replayed of the first", h.Get("Idempotent-Replayed"), "")
	decode(t, s.OK("message.send", object{"chat_id": id, "key": byREST, "body": "two"}).D, &again)
	equal(t, "replay", again, sent{MessageID: m.ID, Seq: m.Seq, TS: m.CreatedAt, Replayed: true})
	equal(t, "messages", len(get[history](c.ada, path).Messages), 2)
}

func onceAtOnce(t *T, c *cast) {
	id := c.ada.Group()
	key := client.NewKey()
	created := atomic.Int64{}
	ids := make([]string, 8)
	t.together(len(ids), func(i int) {
		a := c.ada.Ask("POST", "/chats/"+id+"/messages", object{"body": "one"}, "Idempotency-Key", key)
		var m message
		a.Read(t, &m)
		ids[i] = m.ID
		if a.Status == http.StatusCreated {
			created.Add(1)
		}
	})
	equal(t, "answers 201", created.Load(), 1)
	equal(t, "different ids", len(slices.Compact(ids)), 1)
	equal(t, "messages", len(get[history](c.ada, "/chats/"+id+"/messages").Messages), 1)
}

func keyReused(t *T, c *cast) {
	id := c.ada.Group()
	s := c.ada.Fresh()
	key := client.NewKey()
	s.OK("message.send", object{"chat_id": id, "key": key, "body": "one"})
	refused(t, c.ada, "key_reused", "POST", "/chats/"+id+"/messages", object{"body": "other"}, "Idempotency-Key", key)
	s.Refused("message.send", object{"chat_id": id, "key": key, "body": "other"}, "key_reused")
	// Unique per sender and chat, not beyond.
	other := c.ada.Group(c.bob)
	s.OK("message.send", object{"chat_id": other, "key": key, "body": "other"})
	c.bob.Fresh().OK("message.send", object{"chat_id": other, "key": key, "body": "another"})
}

func oneOrder(t *T, c *cast) {
	const each = 8
	id := c.ada.Group(c.bob, c.eve)
	all := []*client.Socket{c.ada.Fresh(), c.bob.Fresh(), c.eve.Fresh()}
	talker := c.bob.Fresh()
	t.together(2, func(i int) {
		for range each {
			if i == 0 {
				c.ada.Say(id, "by REST")
			} else {
				talker.OK("message.send", object{"chat_id": id, "key": client.NewKey(), "body": "by socket"})
			}
		}
	})
	want := []int64{} // 1 to 4 are the chat and its members
	for i := range int64(2 * each) {
		want = append(want, 5+i)
	}
	for i, s := range all {
		for range want {
			s.Until("every message", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.created" })
		}
		equalLists(t, []string{"ada", "bob", "eve"}[i]+" saw", s.Seqs(id), want)
	}
	stored := []int64{}
	for _, m := range get[history](c.eve, "/chats/"+id+"/messages").Messages {
		stored = append(stored, m.Seq)
	}
	equalLists(t, "history", stored, want)
}

func removedIsRemoved(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	key := client.NewKey()
	c.bob.Rest("POST", "/chats/"+id+"/messages", object{"body": "mine"}, http.StatusCreated, nil, "Idempotency-Key", key)
	s := c.bob.Fresh()
	held := entryOf(c.bob, id).LastSeq
	removal := seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.bob.ID)
	c.ada.Say(id, "among ourselves")
	s.Want("chat.left")
	s.OK("ping", object{})
	for _, seq := range s.Seqs(id) {
		if seq > removal {
			t.Errorf("seq %d came after the removal at %d", seq, removal)
		}
	}
	for _, path := range []string{"", "/messages", "/events?after_seq=" + text(held), "/members", "/cursors"} {
		refused(t, c.bob, "not_found", "GET", "/chats/"+id+path, nil)
	}
	again := c.bob.Connect(object{"cursors": object{id: held}})
	again.Want("ready")
	if _, there := again.Entries()[id]; there || len(again.Seqs(id)) > 0 {
		t.Errorf("the resume of a removed member brings the chat: %s", again.Story())
	}
	var replay sent
	var raw object
	a := c.bob.Ask("POST", "/chats/"+id+"/messages", object{"body": "mine"}, "Idempotency-Key", key)
	a.Read(t, &replay)
	a.Read(t, &raw)
	equal(t, "a removed sender's replay", a.Status, http.StatusOK)
	equal(t, "its replayed", replay.Replayed, true)
	equal(t, "its fields", len(raw), 4)
	refused(t, c.bob, "not_found", "POST", "/chats/"+id+"/messages", object{"body": "new"}, "Idempotency-Key", client.NewKey())
}

// historyIsStream folds the log into messages and compares them with the history.
func historyIsStream(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	kept, edited, deleted := say(c.ada, id, "kept"), say(c.ada, id, "before"), say(c.bob, id, "secret")
	c.ada.Rest("PATCH", "/messages/"+edited.ID, object{"body": "after", "version": 1}, http.StatusOK, nil)
	seqOf(c.bob, "DELETE", "/messages/"+deleted.ID)
	for _, p := range []*client.Person{c.ada, c.bob} {
		seqOf(p, "PUT", "/messages/"+kept.ID+"/reactions/%F0%9F%91%8D")
	}
	seqOf(c.ada, "DELETE", "/messages/"+kept.ID+"/reactions/%F0%9F%91%8D")
	log := get[events](c.bob, "/chats/"+id+"/events?limit=200")
	folded := fold(log.Events)
	page := get[history](c.bob, "/chats/"+id+"/messages")
	equal(t, "last_seq", page.LastSeq, log.LastSeq)
	equal(t, "messages in the log", len(folded), len(page.Messages))
	for _, m := range page.Messages {
		reactions := 0
		for _, r := range m.Reactions {
			reactions += r.Count
		}
		equal(t, "message "+text(m.Seq), folded[m.ID], state{m.Body, m.Version, m.DeletedAt != "", reactions})
	}
}

// state is what a message has become.
type state struct {
	body      string
	version   int64
	deleted   bool
	reactions int
}

func fold(log []event) map[string]state {
	all := map[string]state{}
	for _, e := range log {
		id, _ := e.D["message_id"].(string)
		if e.Op == "message.created" {
			id = e.D["id"].(string)
		}
		s := all[id]
		switch e.Op {
		case "message.created", "message.edited":
			if v := int64(e.D["version"].(float64)); v >= s.version {
				s.body, s.version = e.D["body"].(string), v
			}
			if e.D["deleted_at"] != nil {
				s.deleted = true
			}
		case "message.deleted":
			s.body, s.version, s.deleted = "", int64(e.D["version"].(float64)), true
		case "reaction.added":
			s.reactions++
		case "reaction.removed":
			s.reactions--
		default:
			continue
		}
		all[id] = s
	}
	return all
}
