package conform

import (
	"net/http"
	"slices"
	"strings"

	"fechatter/conform/client"
)

// §4, chats.

func entryShape(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	long := strings.Repeat("é", 300)
	c.ada.Say(id, long)
	var raw object
	c.bob.Rest("GET", "/chats/"+id, nil, http.StatusOK, &raw)
	has(t, "an entry", raw, "id", "kind", "name", "topic", "created_by", "created_at", "archived", "member_count", "member_ids",
		"last_seq", "read_seq", "delivered_seq", "unread", "mentions", "role", "muted", "added_seq", "last_message")
	e := entryOf(c.bob, id)
	equal(t, "member_count", e.MemberCount, 2)
	equal(t, "added_seq", e.AddedSeq, 3)
	equal(t, "last_seq", e.LastSeq, 4)
	equal(t, "role", e.Role, "member")
	equal(t, "unread", e.Unread, 1)
	if e.LastMessage == nil || e.LastMessage.Body != strings.Repeat("é", 200) {
		t.Errorf("last_message is not cut to 200 characters: %v", e.LastMessage)
	}
}

func createChat(t *T, c *cast) {
	for _, body := range []object{
		{}, {"kind": "circle"}, {"kind": "public"}, {"kind": "private", "name": " "}, {"kind": "group", "name": 1}, {"kind": "direct"},
		{"kind": "group", "member_ids": make([]string, 101)},
	} {
		refused(t, c.ada, "bad_request", "POST", "/chats", body)
	}
	refused(t, c.ada, "not_found", "POST", "/chats", object{"kind": "group", "member_ids": []string{client.NewKey()}})
	var first, again entry
	key := []string{"Idempotency-Key", client.NewKey()}
	body := object{"kind": "private", "name": "  plans ", "topic": "what next", "member_ids": []string{c.bob.ID}}
	c.ada.Rest("POST", "/chats", body, http.StatusCreated, &first, key...)
	c.ada.Rest("POST", "/chats", body, http.StatusOK, &again, key...)
	equal(t, "chat of a known key", again.ID, first.ID)
	refused(t, c.ada, "key_reused", "POST", "/chats", object{"kind": "private", "name": "others"}, key...)
	equal(t, "kind and topic", first.Kind+"/"+first.Topic, "private/what next")
	equal(t, "role of its creator", entryOf(c.ada, first.ID).Role, "owner")
}

func direct(t *T, c *cast) {
	var first, again entry
	first.ID = directOf(c.ada, c.bob)
	c.bob.Rest("POST", "/chats", object{"kind": "direct", "member_ids": []string{c.ada.ID}}, http.StatusOK, &again)
	equal(t, "the chat of the pair", again.ID, first.ID)
	equal(t, "members", again.MemberCount, 2)
	path := "/chats/" + first.ID
	refused(t, c.ada, "conflict", "DELETE", path+"/members/"+c.ada.ID, nil)
	refused(t, c.ada, "conflict", "PATCH", path, object{"name": "us"})
	refused(t, c.ada, "conflict", "POST", path+"/members", object{"user_id": c.eve.ID})
}

// directOf returns the direct chat of two people, which another check may have made.
func directOf(p, q *client.Person) string {
	var e entry
	a := p.Ask("POST", "/chats", object{"kind": "direct", "member_ids": []string{q.ID}})
	if a.Status != http.StatusCreated && a.Status != http.StatusOK {
		p.T().Fatalf("POST /chats direct: %d %.300s", a.Status, a.Body)
	}
	a.Read(p.T(), &e)
	return e.ID
}

func updateChat(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	s := c.bob.Fresh()
	var e entry
	c.ada.Rest("PATCH", "/chats/"+id, object{"name": "new name", "topic": "new topic"}, http.StatusOK, &e)
	equal(t, "name and topic", e.Name+"/"+e.Topic, "new name/new topic")
	event := s.Until("chat.updated", func(f client.Frame) bool { return f.ChatID == id && f.Op == "chat.updated" })
	equal(t, "name in the event", event.Field(t, "name"), any("new name"))
	refused(t, c.bob, "forbidden", "PATCH", "/chats/"+id, object{"name": "mine"})
	refused(t, c.ada, "bad_request", "PATCH", "/chats/"+id, object{"name": strings.Repeat("x", 101)})
	before := entryOf(c.ada, id).LastSeq
	c.ada.Rest("PATCH", "/chats/"+id, object{"name": "new name"}, http.StatusOK, nil)
	equal(t, "last_seq after no change", entryOf(c.ada, id).LastSeq, before)
}

func archived(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	s := c.bob.Fresh()
	c.ada.Rest("PATCH", "/chats/"+id, object{"archived": true}, http.StatusOK, nil)
	refused(t, c.bob, "conflict", "POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", client.NewKey())
	s.Refused("message.send", object{"chat_id": id, "key": "k", "body": "x"}, "conflict")
	c.ada.Rest("PATCH", "/chats/"+id, object{"archived": false}, http.StatusOK, nil)
	c.bob.Say(id, "open again")
}

func publicChats(t *T, c *cast) {
	name := "Open " + c.name
	var made, joined entry
	c.ada.Rest("POST", "/chats", object{"kind": "public", "name": name}, http.StatusCreated, &made)
	listed := func() (members int, joined bool) {
		page := get[struct {
			Chats []struct {
				ID      string
				Members int
				Joined  bool
			}
		}](c.bob, "/chats/public?q=open+"+c.name)
		if len(page.Chats) != 1 || page.Chats[0].ID != made.ID {
			t.Fatalf("the directory of chats lists %v", page.Chats)
		}
		return page.Chats[0].Members, page.Chats[0].Joined
	}
	members, in := listed()
	equal(t, "members before", members, 1)
	equal(t, "joined before", in, false)
	refused(t, c.bob, "not_found", "GET", "/chats/"+made.ID, nil)
	c.bob.Rest("POST", "/chats/"+made.ID+"/join", nil, http.StatusOK, &joined)
	equal(t, "role", joined.Role, "member")
	before := joined.LastSeq
	c.bob.Rest("POST", "/chats/"+made.ID+"/join", nil, http.StatusOK, &joined)
	equal(t, "last_seq after joining twice", joined.LastSeq, before)
	members, in = listed()
	equal(t, "members after", members, 2)
	equal(t, "joined after", in, true)
	// A former member may join again.
	seqOf(c.ada, "DELETE", "/chats/"+made.ID+"/members/"+c.bob.ID)
	c.bob.Rest("POST", "/chats/"+made.ID+"/join", nil, http.StatusOK, &joined)
	equal(t, "unread after joining again", joined.Unread, 0)
	if ids := joined.MemberIDs; slices.Contains(ids, c.bob.ID) {
		t.Errorf("a public chat names its members: %v", ids)
	}
}
