package conform

import (
	"net/http"
	"slices"
)

// §4, the history.

func historyPages(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	seqs := []int64{}
	for range 7 {
		seqs = append(seqs, say(c.ada, id, "x").Seq)
	}
	c.ada.Rest("PATCH", "/chats/"+id, object{"name": "not a message"}, http.StatusOK, nil)
	ask := func(query string, want []int64, more bool) history {
		page := get[history](c.bob, "/chats/"+id+"/messages?"+query)
		got := []int64{}
		for _, m := range page.Messages {
			got = append(got, m.Seq)
		}
		equalLists(t, query, got, want)
		equal(t, query+": has_more", page.HasMore, more)
		equal(t, query+": last_seq", page.LastSeq, seqs[6]+1)
		equal(t, query+": has an epoch", page.Epoch != "", true)
		return page
	}
	ask("limit=3", seqs[4:], true)
	ask("limit=7", seqs, false)
	ask("limit=3&before_seq="+text(seqs[4]), seqs[1:4], true)
	ask("limit=3&before_seq="+text(seqs[3]), seqs[:3], false)
	ask("limit=3&after_seq="+text(seqs[1]), seqs[2:5], true)
	ask("limit=3&after_seq="+text(seqs[3]), seqs[4:], false)
	ask("before_seq="+text(seqs[0]), nil, false)
	around := ask("limit=3&around_seq="+text(seqs[3]), seqs[2:5], true)
	if around.HasBefore == nil || around.HasAfter == nil || !*around.HasBefore || !*around.HasAfter {
		t.Errorf("around_seq in the middle: has_before %v, has_after %v", around.HasBefore, around.HasAfter)
	}
	edge := get[history](c.bob, "/chats/"+id+"/messages?limit=7&around_seq="+text(seqs[6]))
	if edge.HasAfter == nil || *edge.HasAfter || !slices.ContainsFunc(edge.Messages, func(m message) bool { return m.Seq == seqs[6] }) {
		t.Errorf("around_seq of the newest: %v", edge)
	}
	for _, query := range []string{"before_seq=x", "after_seq=1.5", "before_seq=2&after_seq=1"} {
		refused(t, c.bob, "bad_request", "GET", "/chats/"+id+"/messages?"+query, nil)
	}
}
