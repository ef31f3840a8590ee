package conform

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"fechatter/conform/client"
)

// §4, reactions.

func reactions(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	m := say(c.ada, id, "like it?")
	path := "/messages/" + m.ID + "/reactions/" + url.PathEscape("👍")
	equal(t, "seq", seqOf(c.bob, "PUT", path), m.Seq+1)
	equal(t, "seq of the same again", seqOf(c.bob, "PUT", path), 0)
	equal(t, "last_seq", entryOf(c.ada, id).LastSeq, m.Seq+1)
	seqOf(c.ada, "PUT", path)
	seen := get[message](c.bob, "/messages/"+m.ID).Reactions
	if len(seen) != 1 || seen[0].Emoji != "👍" || seen[0].Count != 2 || len(seen[0].UserIDs) != 2 || seen[0].Me == nil || !*seen[0].Me {
		t.Errorf("reactions %v", seen)
	}
	equal(t, "who reacted", len(get[struct {
		UserIDs []string `json:"user_ids"`
	}](c.ada, path).UserIDs), 2)
	equal(t, "seq of removing", seqOf(c.bob, "DELETE", path), m.Seq+3)
	equal(t, "seq of removing again", seqOf(c.bob, "DELETE", path), 0)
	for _, emoji := range []string{strings.Repeat("x", 33), "a b", ""} {
		a := c.bob.Ask("PUT", "/messages/"+m.ID+"/reactions/"+url.PathEscape(emoji), nil)
		if a.Status != http.StatusBadRequest && (emoji != "" || a.Status != http.StatusNotFound) {
			t.Errorf("emoji %q: %d %.200s", emoji, a.Status, a.Body)
		}
	}
	seqOf(c.bob, "PUT", "/messages/"+m.ID+"/reactions/"+strings.Repeat("x", 32))
}

// manyReactions fills a message with as many emoji as it takes.
func manyReactions(t *T, c *cast) {
	id := c.ada.Group(c.bob, c.eve)
	m := say(c.ada, id, "like it?")
	people := []*client.Person{c.ada, c.bob, c.eve}
	together(len(people), func(i int) {
		for n := i; n < 50; n += len(people) {
			seqOf(people[i], "PUT", fmt.Sprintf("/messages/%s/reactions/e%d", m.ID, n))
		}
	})
	refused(t, c.bob, "conflict", "PUT", "/messages/"+m.ID+"/reactions/e50", nil)
	seqOf(c.bob, "PUT", "/messages/"+m.ID+"/reactions/e0")
}
