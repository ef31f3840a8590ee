package conform

import (
	"net/http"

	"fechatter/conform/client"
)

// §8, what strangers may do: requests, blocks and hidden chats.

func requests(t *T, c *cast) {
	ada, bob := c.newcomer("req-ada"), c.newcomer("req-bob")
	s := bob.Fresh()
	id := ada.Group(bob)
	joined := s.Until("chat.joined", func(f client.Frame) bool { return f.Op == "chat.joined" })
	equal(t, "request in chat.joined", joined.Field(t, "chat", "request"), any(true))
	equal(t, "request of a stranger", entryOf(bob, id).Request, true)
	equal(t, "the maker's own chat", entryOf(ada, id).Request, false)
	var e entry
	for range 2 {
		bob.Rest("POST", "/chats/"+id+"/accept", nil, http.StatusOK, &e)
		equal(t, "request once accepted", e.Request, false)
	}
	equal(t, "request of somebody known", entryOf(bob, ada.Group(bob)).Request, false)
	refused(t, c.eve, "not_found", "POST", "/chats/"+id+"/accept", nil)

	written, declined := c.eve.Group(bob), c.eve.Group(bob)
	equal(t, "request of another stranger", entryOf(bob, written).Request, true)
	reacted := directOf(c.ada, bob)
	m := say(c.ada, reacted, "hello")
	equal(t, "a direct chat of a stranger", entryOf(bob, reacted).Request, true)
	bob.Rest("PUT", "/messages/"+m.ID+"/reactions/%F0%9F%91%8D", nil, http.StatusOK, nil)
	equal(t, "request after a reaction", entryOf(bob, reacted).Request, false)
	seqOf(bob, "DELETE", "/chats/"+declined+"/members/"+bob.ID)
	refused(t, bob, "not_found", "GET", "/chats/"+declined, nil)
	bob.Say(written, "hello")
	equal(t, "request after writing", entryOf(bob, written).Request, false)
}

// declinedDirect: a direct chat can be left while it is a request, and begun again.
func declinedDirect(t *T, c *cast) {
	bob := c.newcomer("decline")
	id := directOf(c.ada, bob)
	seqOf(bob, "DELETE", "/chats/"+id+"/members/"+bob.ID)
	refused(t, bob, "not_found", "GET", "/chats/"+id, nil)
	equal(t, "the same chat", directOf(bob, c.ada), id)
	equal(t, "members", entryOf(c.ada, id).MemberCount, 2)
	refused(t, bob, "conflict", "DELETE", "/chats/"+id+"/members/"+bob.ID, nil)
}

func blocking(t *T, c *cast) {
	ada, bob := c.newcomer("block-ada"), c.newcomer("block-bob")
	direct, group := directOf(bob, ada), ada.Group(bob)
	m := say(bob, direct, "hello")
	s := ada.Fresh()
	path := "/me/blocks/" + bob.ID
	for range 2 {
		ada.Rest("PUT", path, nil, http.StatusNoContent, nil)
	}
	s.Until("block.added", func(f client.Frame) bool { return f.Op == "block.added" && f.Field(t, "user_id") == any(bob.ID) })
	blocked := get[struct{ Users []user }](ada, "/me/blocks").Users
	if len(blocked) != 1 || blocked[0].ID != bob.ID {
		t.Errorf("blocked are %v", blocked)
	}
	refused(t, ada, "bad_request", "PUT", "/me/blocks/"+ada.ID, nil)
	refused(t, ada, "not_found", "PUT", "/me/blocks/"+client.NewKey(), nil)
	own := bob.Group()
	for what, p := range map[string]problem{
		"a direct chat": refused(t, bob, "forbidden", "POST", "/chats", object{"kind": "direct", "member_ids": []string{ada.ID}}),
		"a group":       refused(t, bob, "forbidden", "POST", "/chats", object{"kind": "group", "member_ids": []string{ada.ID}}),
		"a member":      refused(t, bob, "forbidden", "POST", "/chats/"+own+"/members", object{"user_id": ada.ID}),
		"an edit":       refused(t, bob, "forbidden", "PATCH", "/messages/"+m.ID, object{"body": "x", "version": 1}),
		"a message": refused(t, bob, "forbidden", "POST", "/chats/"+direct+"/messages", object{"body": "x"},
			"Idempotency-Key", client.NewKey()),
	} {
		if p.Detail == "" {
			t.Errorf("%s is refused without a word", what)
		}
	}
	bob.Say(group, "@"+get[user](ada, "/me").Username+" hello")
	equal(t, "mentions by who is blocked", entryOf(ada, group).Mentions, 0)
	equal(t, "people whose presence is shown", len(get[struct{ Users []object }](ada, "/presence?user_id="+bob.ID).Users), 0)
	for range 2 {
		ada.Rest("DELETE", path, nil, http.StatusNoContent, nil)
	}
	bob.Say(direct, "again")
	equal(t, "mentions after the block", entryOf(ada, group).Mentions, 1)
}

func hiding(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	before := c.ada.Say(id, "hello")
	hide := func(hidden bool) {
		c.bob.Rest("PATCH", "/chats/"+id+"/members/"+c.bob.ID, object{"hidden": hidden}, http.StatusOK, nil)
	}
	listed := func() bool {
		for _, e := range entriesOf(c.bob) {
			if e.ID == id {
				return true
			}
		}
		return false
	}
	refused(t, c.ada, "forbidden", "PATCH", "/chats/"+id+"/members/"+c.bob.ID, object{"hidden": true})
	hide(true)
	equal(t, "hidden", entryOf(c.bob, id).Hidden, true)
	equal(t, "listed while hidden", listed(), false)
	fresh := c.bob.Fresh()
	if fresh.Entries()[id] != nil {
		t.Errorf("a fresh start lists a hidden chat")
	}
	cursors := object{"cursors": map[string]int64{id: before - 1}}
	holds := c.bob.Connect(cursors)
	holds.Want("ready")
	equalLists(t, "what a cursor missed", holds.Seqs(id), []int64{before})
	seq := c.ada.Say(id, "back")
	back := fresh.Until("the chat", func(f client.Frame) bool { return f.Op == "chat.joined" && f.Field(t, "chat", "id") == any(id) })
	if last := back.Field(t, "chat", "last_seq"); last != any(float64(seq)) {
		t.Errorf("it comes back as of %v, want %d", last, seq)
	}
	holds.Until("the message", func(f client.Frame) bool { return f.ChatID == id && f.Seq == seq })
	equal(t, "listed after a message", listed(), true)
	hide(true)
	hide(false)
	equal(t, "listed when shown", listed(), true)
}

func nodesBlock(t *T, c *cast) {
	ada, bob := c.newcomer("nodes-ada"), c.newcomer("nodes-bob")
	id := directOf(ada, bob)
	bob.Say(id, "hello")
	ada.Rest("PUT", "/me/blocks/"+bob.ID, nil, http.StatusNoContent, nil)
	there(c, bob).Fresh().Refused("message.send", object{"chat_id": id, "key": client.NewKey(), "body": "x"}, "forbidden")
	there(c, ada).Rest("DELETE", "/me/blocks/"+bob.ID, nil, http.StatusNoContent, nil)
	bob.Say(id, "again")
}
