package conform

import (
	"net/http"

	"fechatter/conform/client"
)

// §4, members and what their roles allow.

func members(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	path := "/chats/" + id + "/members"
	var m member
	c.bob.Rest("POST", path, object{"user_id": c.eve.ID}, http.StatusCreated, &m)
	equal(t, "added", m.UserID+" "+m.Role, c.eve.ID+" member")
	before := entryOf(c.ada, id).LastSeq
	c.bob.Rest("POST", path, object{"user_id": c.eve.ID}, http.StatusOK, nil)
	equal(t, "last_seq after adding twice", entryOf(c.ada, id).LastSeq, before)
	refused(t, c.ada, "not_found", "POST", path, object{"user_id": client.NewKey()})
	refused(t, c.ada, "bad_request", "POST", path, object{"user_id": c.eve.ID, "role": "king"})
	roles := map[string]string{}
	for _, one := range membersOf(c.eve, id) {
		roles[one.UserID] = one.Role
		if one.Muted != nil && one.UserID != c.eve.ID {
			t.Errorf("eve sees whether %s has muted the chat", one.UserID)
		}
	}
	equal(t, "members", len(roles), 3)
	equal(t, "ada", roles[c.ada.ID], "owner")
	equal(t, "messages before eve", len(get[history](c.eve, "/chats/"+id+"/messages").Messages), 0)
	seq := seqOf(c.eve, "DELETE", path+"/"+c.eve.ID)
	equal(t, "seq of leaving", seq, before+1)
	refused(t, c.eve, "not_found", "GET", "/chats/"+id, nil)
	refused(t, c.ada, "not_found", "DELETE", path+"/"+c.eve.ID, nil)
}

func roles(t *T, c *cast) {
	id := c.ada.Group(c.bob, c.eve)
	path := "/chats/" + id + "/members/"
	role := func(p *client.Person, of *client.Person, role string) {
		p.Rest("PATCH", path+of.ID, object{"role": role}, http.StatusOK, nil)
	}
	refused(t, c.bob, "forbidden", "PATCH", path+c.eve.ID, object{"role": "admin"})
	refused(t, c.bob, "forbidden", "PATCH", path+c.bob.ID, object{"role": "admin"})
	refused(t, c.bob, "forbidden", "DELETE", path+c.eve.ID, nil)
	refused(t, c.ada, "conflict", "PATCH", path+c.ada.ID, object{"role": "member"})
	refused(t, c.ada, "conflict", "DELETE", path+c.ada.ID, nil)
	role(c.ada, c.bob, "admin")
	refused(t, c.bob, "forbidden", "PATCH", path+c.eve.ID, object{"role": "owner"})
	refused(t, c.bob, "forbidden", "PATCH", path+c.ada.ID, object{"role": "member"})
	refused(t, c.bob, "forbidden", "DELETE", path+c.ada.ID, nil)
	role(c.bob, c.eve, "admin")
	role(c.eve, c.eve, "member")
	m := say(c.eve, id, "eve's")
	refused(t, c.eve, "forbidden", "DELETE", "/messages/"+say(c.bob, id, "bob's").ID, nil)
	refused(t, c.bob, "forbidden", "PATCH", "/messages/"+m.ID, object{"body": "not eve's", "version": 1})
	seqOf(c.bob, "DELETE", "/messages/"+m.ID)
	role(c.ada, c.bob, "owner")
	role(c.ada, c.ada, "member")
	refused(t, c.ada, "forbidden", "PATCH", "/chats/"+id, object{"name": "x"})
	seqOf(c.bob, "DELETE", path+c.eve.ID)
	equal(t, "role of ada", entryOf(c.ada, id).Role, "member")
}

func muted(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	before := entryOf(c.bob, id).LastSeq
	c.bob.Rest("PATCH", "/chats/"+id+"/members/"+c.bob.ID, object{"muted": true}, http.StatusOK, nil)
	e := entryOf(c.bob, id)
	equal(t, "muted", e.Muted, true)
	equal(t, "last_seq", e.LastSeq, before)
	refused(t, c.ada, "forbidden", "PATCH", "/chats/"+id+"/members/"+c.bob.ID, object{"muted": false})
}
