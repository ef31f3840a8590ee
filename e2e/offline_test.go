package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
)

// TestOfflineForLong leaves a client offline for 10,000 events. It comes back on another
// node, is reset because it is too far behind, reads the history, and goes on live
// without a hole.
func TestOfflineForLong(t *testing.T) {
	heavy(t)
	const missed = 10000
	s := begin(t, cluster.Config{})
	ada := client.SignUp(t, s.Nodes[0].URL(), "ada")
	bob := client.SignUp(t, s.Nodes[1].URL(), "bob")
	id := ada.Group(bob)
	held := bob.Fresh().Entries()[id]["last_seq"]

	var senders []*client.Socket
	for i := range 8 {
		senders = append(senders, ada.On(s.Nodes[i%3].URL()).Dial())
	}
	for i := range missed {
		senders[i%8].Say(fmt.Sprint(i), "message.send", map[string]any{"chat_id": id, "key": fmt.Sprint(i), "body": fmt.Sprint(i)})
	}
	for i := range missed {
		f := senders[i%8].Until("an ack", func(f client.Frame) bool { return f.Re != nil })
		if f.Op != "ok" {
			t.Fatalf("answered %s", f.Raw)
		}
	}
	back := bob.On(s.Nodes[2].URL()).Connect(map[string]any{"cursors": map[string]any{id: held}})
	reset := back.Want("reset")
	if reason := reset.Field(t, "reason"); reason != "too_far" || reset.Seq != missed+3 {
		t.Fatalf("got %s, want too_far at %d", reset.Raw, missed+3)
	}
	back.Want("ready")
	live := ada.Say(id, "live")
	if f := back.Want("message.created"); f.Seq != live || live != reset.Seq+1 {
		t.Errorf("live goes on with %s, want %d", f.Raw, reset.Seq+1)
	}
	readsBack(t, bob.On(s.Nodes[2].URL()), id, reset.Seq, missed)
}

// readsBack reads a chat's history from a seq down to the first message: one for each
// seq.
func readsBack(t *testing.T, p *client.Person, id string, from, messages int64) {
	t.Helper()
	seq, found := from, int64(0)
	for more := true; more; {
		var page struct {
			Messages []struct{ Seq int64 }
			HasMore  bool `json:"has_more"`
		}
		p.Rest("GET", fmt.Sprintf("/chats/%s/messages?limit=200&before_seq=%d", id, seq+1), nil, http.StatusOK, &page)
		for _, m := range slices.Backward(page.Messages) {
			if m.Seq != seq {
				t.Fatalf("message %d where %d was due", m.Seq, seq)
			}
			seq--
			found++
		}
		more = page.HasMore
	}
	if found != messages {
		t.Errorf("%d messages in the history, want %d", found, messages)
	}
}
