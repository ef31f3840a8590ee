package conform

import (
	"net/http"
	"strings"
	"time"

	"fechatter/conform/client"
)

// §4, search.

type hits struct {
	Hits []struct {
		Message   message
		Highlight string
	}
	Total int
}

func search(t *T, c *cast) {
	if c.ada.Ask("GET", "/search?q=x", nil).Status == http.StatusNotFound {
		t.Skipf("not served")
	}
	word := "w" + strings.ReplaceAll(client.NewKey(), "-", "")
	id := c.ada.Group(c.bob)
	m := say(c.ada, id, "look for "+word+" <b>here</b>")
	find := func(p *client.Person, more string) hits { return get[hits](p, "/search?q="+word+more) }
	found := find(c.bob, "")
	for deadline := time.Now().Add(t.pace.patience); len(found.Hits) == 0 && time.Now().Before(deadline); found = find(c.bob, "") {
		wait(t, 200*time.Millisecond)
	}
	if len(found.Hits) != 1 || found.Total != 1 || found.Hits[0].Message.ID != m.ID {
		t.Fatalf("bob finds %v", found)
	}
	mark := found.Hits[0].Highlight
	if !strings.Contains(mark, "<mark>") || strings.Contains(mark, "<b>") {
		t.Errorf("highlight %q", mark)
	}
	equal(t, "an outsider finds", len(find(c.eve, "").Hits), 0)
	equal(t, "in this chat", len(find(c.bob, "&chat_id="+id).Hits), 1)
	equal(t, "by bob", len(find(c.bob, "&sender_id="+c.bob.ID).Hits), 0)
	equal(t, "since its time", len(find(c.bob, "&since="+m.CreatedAt).Hits), 1)
	equal(t, "until its time", len(find(c.bob, "&until="+m.CreatedAt).Hits), 0)
	seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.bob.ID)
	equal(t, "a former member finds", len(find(c.bob, "").Hits), 0)
}

// wait is for what the contract has no event for.
func wait(t *T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatalf("%v", t.Context().Err())
	}
}
