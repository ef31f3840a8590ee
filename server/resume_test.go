package server_test

import (
	"fechatter/conform/client"

	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestResumeReplaysWhatWasMissed(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id, quiet := ada.Group(bob), ada.Group(bob)
	b := bob.Connect(map[string]any{})
	epoch := b.Want("ready").Field(t, "epoch")
	ada.Say(id, "one")
	held := b.Want("message.created").Seq
	_ = b.WS.CloseNow()
	var want []int64
	for i := range 30 {
		want = append(want, ada.Say(id, fmt.Sprint("missed ", i)))
	}
	s := bob.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{id: held, quiet: 3, uuid.NewString(): 7}})
	s.Want("ready")
	if s.Seen[1].Op != "chats" {
		t.Errorf("after hello came %s", s.Seen[1].Raw)
	}
	if got := s.Seqs(id); !slices.Equal(got, want) {
		t.Errorf("replayed %v, want %v", got, want)
	}
	if e := s.Entries(); len(e) != 2 || e[id]["last_seq"] != float64(want[len(want)-1]) || e[id]["unread"] != 31.0 {
		t.Errorf("entries %v", e)
	}
	next := ada.Say(id, "live")
	if got := s.Want("message.created").Seq; got != next {
		t.Errorf("live event %d, want %d", got, next)
	}
}

func TestResumeResets(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	far, rejoined, ahead, gone, first, second := ada.Group(bob), ada.Group(bob), ada.Group(bob), ada.Group(bob), ada.Group(bob), ada.Group(bob)
	n.sayMany(t, ada.ID, far, 501)
	var middle []string // they use the budget of 2,000 events up to what second would need
	for range 3 {
		id := ada.Group(bob)
		middle = append(middle, id)
	}
	n.sayMany(t, ada.ID, second, 500) // less recently active than the others
	for _, id := range append(middle, first) {
		n.sayMany(t, ada.ID, id, 500)
	}
	ada.Rest("DELETE", "/chats/"+rejoined+"/members/"+bob.ID, nil, http.StatusOK, nil)
	ada.Rest("POST", "/chats/"+rejoined+"/members", map[string]any{"user_id": bob.ID}, http.StatusCreated, nil)
	ada.Rest("DELETE", "/chats/"+gone+"/members/"+bob.ID, nil, http.StatusOK, nil)

	cursors := map[string]any{far: 3, rejoined: 3, ahead: 99, gone: 3, first: 3, second: 3}
	for _, id := range middle {
		cursors[id] = 3
	}
	s := bob.Connect(map[string]any{"cursors": cursors})
	s.Want("ready")
	got := map[string]string{}
	for _, f := range s.Seen {
		if f.Op == "reset" {
			got[f.ChatID] = f.Field(t, "reason").(string)
			if float64(f.Seq) != s.Entries()[f.ChatID]["last_seq"] {
				t.Errorf("%s is not at the entry's last_seq", f.Raw)
			}
		}
	}
	want := map[string]string{far: "too_far", rejoined: "rejoined", ahead: "ahead", second: "too_far"}
	for id, reason := range want {
		if got[id] != reason {
			t.Errorf("reset %q, want %q", got[id], reason)
		}
	}
	if len(got) != len(want) {
		t.Errorf("resets %v, want %v", got, want)
	}
	for _, id := range append(middle, first) {
		if seqs := s.Seqs(id); len(seqs) != 500 || seqs[0] != 4 || seqs[499] != 503 {
			t.Errorf("a recent chat was replayed as %v", seqs)
		}
	}
	if _, there := s.Entries()[gone]; there {
		t.Error("a chat from which bob was removed is among his chats")
	}
	for id := range want {
		seq := ada.Say(id, "live")
		if f := s.Until("the live event", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.created" }); f.Seq != seq {
			t.Errorf("live event %d, want %d", f.Seq, seq)
		}
	}

	s = bob.Connect(map[string]any{"epoch": "another history", "cursors": map[string]any{first: 3}})
	if f := s.Want("reset"); f.Field(t, "reason") != "epoch" {
		t.Errorf("another epoch: %s", f.Raw)
	}
	s.Want("ready")
}

// The bytes of a resume are counted before a chat is replayed: one that would exceed
// 1 MiB is reset as a whole, and smaller ones after it are still replayed.
func TestResumeBytes(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	small, large := ada.Group(bob), ada.Group(bob)
	first := ada.Say(small, "small")
	body := strings.Repeat("x", 16<<10)
	for range 64 { // 1 MiB of text alone
		ada.Say(large, body)
	}
	s := bob.Connect(map[string]any{"cursors": map[string]any{small: first - 1, large: 3}})
	s.Want("ready")
	if got := s.Seqs(large); len(got) != 0 {
		t.Errorf("replayed %d events of the large chat", len(got))
	}
	if got := s.Seqs(small); !slices.Equal(got, []int64{first}) {
		t.Errorf("replayed %v of the small chat", got)
	}
	resets := 0
	for _, f := range s.Seen {
		if f.Op == "reset" {
			resets++
			if f.ChatID != large || f.Field(t, "reason") != "too_far" {
				t.Errorf("reset %s", f.Raw)
			}
		}
	}
	if resets != 1 {
		t.Errorf("%d resets", resets)
	}
	seq := ada.Say(large, "live")
	if f := s.Want("message.created"); f.Seq != seq {
		t.Errorf("live event %d, want %d", f.Seq, seq)
	}
}

func TestResumeIsChecked(t *testing.T) {
	n := startNode(t)
	s := client.SignUp(t, n.url, "ada").Dial()
	s.Refused("resume", map[string]any{"cursors": map[string]any{"x": -1}}, "bad_request")
	s.Refused("resume", map[string]any{"cursors": map[string]any{}, "token": "x"}, "bad_request")
	s.Say("r", "resume", map[string]any{})
	s.Want("ready")
}

func TestDrain(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	s := ada.Fresh()
	n.cancel()
	f := s.Want("drain")
	if f.Field(t, "retry_after_ms") == nil || f.Field(t, "deadline_ms") == nil {
		t.Errorf("drain %s", f.Raw)
	}
	s.Closes(1012)
}
