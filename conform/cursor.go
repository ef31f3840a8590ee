package conform

import "net/http"

// §4, cursors.

func cursors(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	last := int64(0)
	for range 3 {
		last = c.ada.Say(id, "x")
	}
	set := func(body object) (e entry) {
		c.bob.Rest("PUT", "/chats/"+id+"/cursor", body, http.StatusOK, &e)
		return e
	}
	e := set(object{"delivered_seq": last - 1})
	equal(t, "read_seq when only delivered_seq is set", e.ReadSeq, 3)
	equal(t, "delivered_seq", e.DeliveredSeq, last-1)
	equal(t, "read implies delivered", set(object{"read_seq": last - 1}).DeliveredSeq, last-1)
	equal(t, "unread", entryOf(c.bob, id).Unread, 1)
	equal(t, "only forward", set(object{"read_seq": 1}).ReadSeq, last-1)
	equal(t, "at most last_seq", set(object{"read_seq": last + 100}).ReadSeq, last)
	refused(t, c.bob, "bad_request", "PUT", "/chats/"+id+"/cursor", object{})
	refused(t, c.bob, "bad_request", "PUT", "/chats/"+id+"/cursor", object{"read_seq": "x"})
	for _, one := range get[struct {
		Cursors []struct {
			UserID  string `json:"user_id"`
			ReadSeq int64  `json:"read_seq"`
		}
	}](c.ada, "/chats/"+id+"/cursors").Cursors {
		if one.ReadSeq != last {
			t.Errorf("the cursor of %s is at %d, want %d", one.UserID, one.ReadSeq, last)
		}
	}
}
