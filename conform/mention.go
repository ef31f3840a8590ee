package conform

import (
	"net/http"
	"slices"

	"fechatter/conform/client"
)

// §4, unread and mentions.

func unread(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	count := func(what string, p *client.Person, want int64) { equal(t, what, entryOf(p, id).Unread, want) }
	m := say(c.ada, id, "one")
	c.ada.Say(id, "two")
	count("bob has two unread", c.bob, 2)
	count("ada has read her own", c.ada, 0)
	c.ada.Rest("PATCH", "/messages/"+m.ID, object{"body": "One", "version": 1}, http.StatusOK, nil)
	c.ada.Rest("POST", "/chats/"+id+"/members", object{"user_id": c.eve.ID}, http.StatusCreated, nil)
	count("edits and members do not count", c.bob, 2)
	count("a new member starts with none", c.eve, 0)
	seqOf(c.ada, "DELETE", "/messages/"+m.ID)
	count("a deletion does not lower it", c.bob, 2)
	reply := say(c.bob, id, "three")
	e := entryOf(c.bob, id)
	equal(t, "sending reads up to it", e.ReadSeq, reply.Seq)
	equal(t, "bob's unread", e.Unread, 0)
	count("ada has bob's unread", c.ada, 1)
	seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.eve.ID)
	c.ada.Say(id, "four")
	c.ada.Rest("POST", "/chats/"+id+"/members", object{"user_id": c.eve.ID}, http.StatusCreated, nil)
	e = entryOf(c.eve, id)
	equal(t, "unread of a member added again", e.Unread, 0)
	equal(t, "her read_seq", e.ReadSeq, e.AddedSeq)
	equal(t, "her delivered_seq", e.DeliveredSeq, e.AddedSeq)
}

func mentions(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	count := func(what string, want int64) { equal(t, what, entryOf(c.bob, id).Mentions, want) }
	m := say(c.ada, id, "hello @"+c.bob.Name+", and @"+c.eve.Name+" who is not here")
	equalLists(t, "mentions", m.Mentions, []string{c.bob.ID})
	count("one mention", 1)
	say(c.ada, id, "mail to x@"+c.bob.Name)
	count("a name within a word is no mention", 1)
	say(c.ada, id, "```\n@all\n``` `@"+c.bob.Name+"` https://medium.com/@"+c.bob.Name)
	count("code and addresses mention nobody", 1)
	if at := say(c.ada, id, "ask @"+c.bob.Name+"."); !slices.Contains(at.Mentions, c.bob.ID) {
		t.Errorf("a dot behind a name: %v", at.Mentions)
	}
	say(c.ada, id, "@all listen")
	count("three", 3)
	seqOf(c.ada, "DELETE", "/messages/"+m.ID)
	count("a deleted message mentions nobody", 2)
	c.bob.Rest("PUT", "/chats/"+id+"/cursor", object{"read_seq": entryOf(c.bob, id).LastSeq}, http.StatusOK, nil)
	count("read messages do not count", 0)
}
