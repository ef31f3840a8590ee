package conform

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"fechatter/conform/client"
)

// §4 and §5, presence, typing and others' cursors.

func presence(t *T, c *cast) {
	c.ada.Group(c.bob)
	if c.ada.Ask("GET", "/presence?user_id="+c.bob.ID, nil).Status == http.StatusNotFound {
		t.Skipf("not served")
	}
	stranger := c.newcomer("gus")
	b := c.bob.Fresh()
	c.bob.Rest("PUT", "/presence", object{"state": "dnd"}, http.StatusOK, nil)
	defer c.bob.Do("PUT", "/presence", object{"state": "online"}) // invisible users do not type
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
	// Presence may be seen a little later: nothing waits for it.
	for deadline := time.Now().Add(t.pace.patience); seen(c.ada) != "dnd" && time.Now().Before(deadline); {
		wait(t, 100*time.Millisecond)
	}
	equal(t, "as ada sees bob", seen(c.ada), "dnd")
	equal(t, "as a stranger sees bob", seen(stranger), "not listed")
	a := c.ada.Fresh()
	watched := a.OK("presence.watch", object{"user_ids": []string{c.bob.ID}})
	if users, _ := watched.Field(t, "users").([]any); len(users) != 1 || users[0].(object)["state"] != "dnd" {
		t.Errorf("presence.watch answers %s", watched.Raw)
	}
	b.OK("presence.set", object{"state": "online"})
	until := func(states ...string) {
		a.Until(fmt.Sprint("bob ", states), func(f client.Frame) bool { return slices.Contains(states, stateIn(t, f, c.bob.ID)) })
		if now := seen(c.ada); !slices.Contains(states, now) {
			t.Errorf("ada sees bob as %s after a push of %v", now, states)
		}
	}
	until("online")
	b.OK("activity", object{})
	b.OK("presence.set", object{"state": "invisible"})
	until("offline", "unknown") // unknown: a server that has only just started
	refused(t, c.bob, "bad_request", "PUT", "/presence", object{"state": "asleep"})
}

// stateIn returns the state of a user in a frame, or "".
func stateIn(t *T, f client.Frame, userID string) string {
	if f.Op != "presence" {
		return ""
	}
	users, _ := f.Field(t, "users").([]any)
	for _, u := range users {
		if one := u.(object); one["user_id"] == userID {
			return one["state"].(string)
		}
	}
	return ""
}

func typing(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	say := func(on bool) client.Answer { return c.ada.Ask("POST", "/chats/"+id+"/typing", object{"typing": on}) }
	if a := say(false); a.Status == http.StatusNotFound {
		t.Skipf("not served")
	} else if a.Status != http.StatusNoContent {
		t.Errorf("POST typing: %d %.200s", a.Status, a.Body)
	}
	a, b := c.ada.Fresh(), c.bob.Fresh()
	pushed := func(what string, names ...any) client.Frame {
		return b.Until(what, func(f client.Frame) bool {
			ids, _ := f.Field(t, "user_ids").([]any)
			return f.Op == "typing" && f.ChatID == id && slices.Equal(ids, names)
		})
	}
	a.OK("typing.set", object{"chat_id": id, "typing": true})
	f := pushed("ada typing", any(c.ada.ID))
	if ms, _ := f.Field(t, "expires_ms").(float64); ms <= 0 || f.Seq != 0 {
		t.Errorf("typing: %s", f.Raw)
	}
	a.OK("typing.set", object{"chat_id": id, "typing": false})
	pushed("nobody typing")
	say(true)
	pushed("ada typing by REST", any(c.ada.ID))
	a.OK("ping", object{})
	for _, f := range a.Seen {
		if names, _ := f.Field(t, "user_ids").([]any); f.Op == "typing" && f.ChatID == id && slices.Contains(names, any(c.ada.ID)) {
			t.Errorf("ada is shown her own typing: %s", f.Raw)
		}
	}
	refused(t, c.eve, "not_found", "POST", "/chats/"+id+"/typing", object{"typing": true})
	refused(t, c.ada, "bad_request", "POST", "/chats/"+id+"/typing", object{"typing": "yes"})
}

func othersCursors(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	a, b, tablet := c.ada.Fresh(), c.bob.Fresh(), c.bob.Fresh()
	if f := a.Ask("typing.set", object{"chat_id": id, "typing": false}); f.Op == "error" {
		t.Skipf("ephemeral pushes are not served")
	}
	seq := c.ada.Say(id, "read me")
	unread := c.ada.Say(id, "and me")
	b.Until("the messages", func(f client.Frame) bool { return f.ChatID == id && f.Seq == unread })
	b.OK("cursor.set", object{"chat_id": id, "read_seq": seq})
	of := func(s *client.Socket) client.Frame {
		return s.Until("bob's cursor", func(f client.Frame) bool {
			return f.Op == "cursor" && f.ChatID == id && f.Field(t, "user_id") == c.bob.ID && f.Field(t, "read_seq") == float64(seq)
		})
	}
	theirs, own := of(a), of(tablet)
	equal(t, "delivered_seq", theirs.Field(t, "delivered_seq"), any(float64(seq)))
	equal(t, "counts in others' cursors", theirs.Field(t, "unread"), nil)
	equal(t, "unread in bob's own cursor", own.Field(t, "unread"), any(1.0))
}
