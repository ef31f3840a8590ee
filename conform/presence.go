package conform

import (
	"net/http"

	"fechatter/conform/client"
)

// §4 and §5, presence, typing and others' cursors.

func presence(t *T, c *cast) {
	if c.ada.Ask("GET", "/presence?user_id="+c.bob.ID, nil).Status == http.StatusNotFound {
		t.Skipf("not served")
	}
	c.ada.Group(c.bob)
	stranger := c.newcomer("gus")
	b := c.bob.Fresh()
	c.bob.Rest("PUT", "/presence", object{"state": "dnd"}, http.StatusOK, nil)
	seen := func(p *client.Person) string {
		for _, u := range get[struct {
			Users []struct {
				UserID string `json:"user_id"`
				State  string
			}
		}](p, "/presence?user_id="+c.bob.ID).Users {
			if u.UserID == c.bob.ID {
				return u.State
			}
		}
		return "not listed"
	}
	equal(t, "as ada sees bob", seen(c.ada), "dnd")
	equal(t, "as a stranger sees bob", seen(stranger), "not listed")
	a := c.ada.Fresh()
	a.OK("presence.watch", object{"user_ids": []string{c.bob.ID}})
	b.OK("presence.set", object{"state": "online"})
	a.Until("bob online", func(f client.Frame) bool { return f.Op == "presence" })
	equal(t, "as ada sees bob then", seen(c.ada), "online")
	b.OK("activity", object{})
	refused(t, c.bob, "bad_request", "PUT", "/presence", object{"state": "asleep"})
}

func typing(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	if c.ada.Ask("POST", "/chats/"+id+"/typing", object{"typing": true}).Status == http.StatusNotFound {
		t.Skipf("not served")
	}
	a, b := c.ada.Fresh(), c.bob.Fresh()
	a.OK("typing.set", object{"chat_id": id, "typing": true})
	f := b.Until("typing", func(f client.Frame) bool { return f.Op == "typing" && f.ChatID == id })
	names, _ := f.Field(t, "user_ids").([]any)
	if len(names) != 1 || names[0] != c.ada.ID {
		t.Errorf("typing: %s", f.Raw)
	}
	refused(t, c.eve, "not_found", "POST", "/chats/"+id+"/typing", object{"typing": true})
}

func othersCursors(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	a, b := c.ada.Fresh(), c.bob.Fresh()
	if f := a.Ask("typing.set", object{"chat_id": id, "typing": false}); f.Op == "error" {
		t.Skipf("ephemeral pushes are not served")
	}
	seq := c.ada.Say(id, "read me")
	b.OK("cursor.set", object{"chat_id": id, "read_seq": seq})
	f := a.Until("bob's cursor", func(f client.Frame) bool {
		return f.Op == "cursor" && f.ChatID == id && f.Field(t, "user_id") == c.bob.ID
	})
	equal(t, "read_seq", f.Field(t, "read_seq"), any(float64(seq)))
}
