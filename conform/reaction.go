package conform

import (
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
	for _, odd := range []string{strings.Repeat("x", 65), "a%20b", "%E2%80%8B", "", "x", "1", "%2F", "%00", "%2E%2E", "%25", "%3F", "👍👎"} {
		refused(t, c.bob, "bad_request", "PUT", "/messages/"+m.ID+"/reactions/"+odd, nil)
	}
	for _, emoji := range []string{"#️⃣", "*️⃣", "👩🏽‍❤️‍💋‍👨🏿", "🇪🇺"} {
		seqOf(c.bob, "PUT", "/messages/"+m.ID+"/reactions/"+url.PathEscape(emoji))
	}
	seqOf(c.bob, "PUT", "/messages/"+m.ID+"/reactions/❤")
	equal(t, "seq of the same emoji with U+FE0F", seqOf(c.bob, "PUT", "/messages/"+m.ID+"/reactions/❤️"), 0)
}

// manyReactions puts as many emoji on a message as it may have.
func manyReactions(t *T, c *cast) {
	id := c.ada.Group(c.bob, c.eve)
	m := say(c.ada, id, "like it?")
	people := []*client.Person{c.ada, c.bob, c.eve}
	t.together(len(people), func(i int) {
		for n := i; n < 50; n += len(people) {
			seqOf(people[i], "PUT", "/messages/"+m.ID+"/reactions/"+animal(n))
		}
	})
	refused(t, c.bob, "conflict", "PUT", "/messages/"+m.ID+"/reactions/"+animal(50), nil)
	seqOf(c.bob, "PUT", "/messages/"+m.ID+"/reactions/"+animal(0))
}

// animal returns one of the emoji that Unicode has in a row, from the rat on.
func animal(n int) string { return string(rune('🐀' + n)) }
