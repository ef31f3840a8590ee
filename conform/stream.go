package conform

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"fechatter/conform/client"
)

// §6, the event stream.

func streamFrames(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	s := c.bob.Stream("") // checks the head
	for _, op := range []string{"hello", "chats", "ready"} {
		s.Want(op)
	}
	token := s.LastID()
	seq := c.ada.Say(id, "live")
	f := s.Until("the live event", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.created" })
	equal(t, "seq", f.Seq, seq)
	var later string
	within(t, "a token after an event", 3*time.Second, func() { later = s.LastID() })
	if later == token || len(later) > 4<<10 {
		t.Errorf("token %q after %q", later, token)
	}
	select {
	case line := <-s.Notes:
		if !strings.HasPrefix(line, "retry:") {
			t.Errorf("%q comes before retry", line)
		}
	default:
		t.Errorf("no retry line")
	}
}

func streamResume(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	s := c.bob.Stream("")
	s.Want("ready")
	first := s.LastID()
	held := c.ada.Say(id, "held")
	s.Until("the live event", func(f client.Frame) bool { return f.ChatID == id && f.Seq == held })
	second := s.LastID()
	s.Close()
	missed := []int64{c.ada.Say(id, "one"), c.ada.Say(id, "two")}
	for what, again := range map[string]*client.Stream{
		"Last-Event-ID": c.bob.Stream(second), "last_event_id": c.bob.StreamAt("?last_event_id="+second, ""),
		"both, of which the header wins": c.bob.StreamAt("?last_event_id="+first, second),
	} {
		again.Want("ready")
		missesNone(t, what, again.Socket, id, missed)
	}
	older := c.bob.Stream(first)
	older.Want("ready")
	missesNone(t, "an older token", older.Socket, id, append([]int64{held}, missed...))
	socket := c.bob.Connect(object{"token": second})
	socket.Want("ready")
	missesNone(t, "the token over WebSocket", socket, id, missed)
}

// missesNone checks what a token brought: everything that was missed, perhaps some of
// what was not, in order and without a reset.
func missesNone(t *T, what string, s *client.Socket, id string, missed []int64) {
	got := s.Seqs(id)
	if len(got) < len(missed) || !slices.Equal(got[len(got)-len(missed):], missed) || !slices.IsSorted(got) {
		t.Errorf("%s: got %v, want at least %v", what, got, missed)
	}
	equal(t, what+": resets", len(resetsOf(t, s, object{id: 0})), 0)
}

func streamNonsense(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	s := c.bob.Stream("nonsense")
	s.Want("ready")
	equal(t, "reason", resetsOf(t, s.Socket, object{id: 0})[id], "epoch")
	socket := c.bob.Connect(object{"token": "nonsense"})
	socket.Want("ready")
	equal(t, "reason over WebSocket", resetsOf(t, socket, object{id: 0})[id], "epoch")
}

func streamMembership(t *T, c *cast) {
	s := c.bob.Stream("")
	s.Want("ready")
	id := c.ada.Group(c.bob)
	s.Until("chat.joined", func(f client.Frame) bool { return f.Op == "chat.joined" && f.Field(t, "chat", "id") == id })
	removal := seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.bob.ID)
	last := s.Until("member.removed", func(f client.Frame) bool { return f.ChatID == id && f.Op == "member.removed" })
	equal(t, "seq of member.removed", last.Seq, removal)
	s.Until("chat.left", func(f client.Frame) bool { return f.Op == "chat.left" && f.Field(t, "chat_id") == id })
	a := anonymous(c).Do("GET", "/events", nil)
	isProblem(t, "GET /events of nobody", a, "unauthenticated", http.StatusUnauthorized)
}

// streamComments waits for a sign of life on a quiet stream.
func streamComments(t *T, c *cast) {
	s := c.newcomer("fay").Stream("")
	s.Want("ready")
	deadline := time.After(20*time.Second + t.pace.slack)
	for {
		select {
		case line := <-s.Notes:
			if strings.HasPrefix(line, ":") {
				return
			}
		case <-deadline:
			t.Fatalf("no comment within 20 s")
		case <-t.Context().Done():
			t.Fatalf("no comment: %v", t.Context().Err())
		}
	}
}
