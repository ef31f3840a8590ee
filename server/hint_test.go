package server_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"fechatter/conform/client"
)

// typingOf waits for a frame that names exactly these.
func typingOf(t *testing.T, s *client.Socket, chatID string, names ...string) client.Frame {
	t.Helper()
	return s.Until(fmt.Sprint("typing ", names), naming(t, chatID, names))
}

// typingAgain is typingOf for those who type again whenever that has run out, as it does
// while a machine stands still.
func typingAgain(t *testing.T, s *client.Socket, chatID string, again func(), names ...string) {
	t.Helper()
	for range 20 {
		again()
		if _, ok := s.Within(5*time.Second, naming(t, chatID, names)); ok {
			return
		}
	}
	t.Fatalf("never typing %v; seen %s", names, s.Story())
}

func naming(t *testing.T, chatID string, names []string) func(client.Frame) bool {
	return func(f client.Frame) bool {
		return f.Op == "typing" && f.ChatID == chatID && fmt.Sprint(f.Field(t, "user_ids")) == fmt.Sprint(names)
	}
}

func TestTypingIsPushedToTheOthers(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob, eve := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob"), client.SignUp(t, n.url, "eve")
	id := ada.Group(bob)
	a, b, e := ada.Fresh(), bob.Fresh(), eve.Fresh()

	a.OK("typing.set", map[string]any{"chat_id": id, "typing": true})
	f := typingOf(t, b, id, ada.ID)
	if ms, ok := f.Field(t, "expires_ms").(float64); !ok || ms <= 0 || ms > 10_000 || f.Seq != 0 {
		t.Errorf("the push is %s", f.Raw)
	}
	both := func() {
		bob.Rest("POST", "/chats/"+id+"/typing", map[string]any{"typing": true}, http.StatusNoContent, nil)
		a.OK("typing.set", map[string]any{"chat_id": id, "typing": true})
	}
	typingAgain(t, a, id, both, bob.ID)
	typingAgain(t, b, id, both, ada.ID) // not oneself
	a.OK("message.send", map[string]any{"chat_id": id, "key": "k", "body": "what I typed"})
	typingOf(t, b, id) // sending ends typing
	b.OK("typing.set", map[string]any{"chat_id": id, "typing": false})
	typingOf(t, a, id)

	e.Refused("typing.set", map[string]any{"chat_id": id, "typing": true}, "not_found")
	e.Refused("typing.set", map[string]any{"chat_id": "x", "typing": true}, "not_found")
	e.Refused("typing.set", map[string]any{"chat_id": id}, "bad_request")
	ada.Rest("DELETE", "/chats/"+id+"/members/"+bob.ID, nil, http.StatusOK, nil)
	b.Want("chat.left")
	b.Refused("typing.set", map[string]any{"chat_id": id, "typing": true}, "not_found")
	bob.Rest("POST", "/chats/"+id+"/typing", map[string]any{"typing": true}, http.StatusNotFound, nil)
	a.OK("typing.set", map[string]any{"chat_id": id, "typing": true})
	for _, s := range []*client.Socket{b, e} {
		s.OK("ping", map[string]any{})
		for _, f := range s.Seen[len(s.Seen)-1:] {
			if f.Op == "typing" {
				t.Errorf("a non-member got %s", f.Raw)
			}
		}
	}
}

func TestCursorsArePushed(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	seq := ada.Say(id, "@bob one")
	last := ada.Say(id, "two")
	a, phone, laptop := ada.Fresh(), bob.Fresh(), bob.Fresh()
	phone.OK("cursor.set", map[string]any{"chat_id": id, "read_seq": seq})
	f := laptop.Want("cursor")
	if f.ChatID != id || f.Field(t, "user_id") != bob.ID || f.Field(t, "read_seq") != float64(seq) ||
		f.Field(t, "unread") != 1.0 || f.Field(t, "mentions") != 0.0 {
		t.Errorf("the other device got %s", f.Raw)
	}
	f = a.Want("cursor")
	if f.Field(t, "user_id") != bob.ID || f.Field(t, "read_seq") != float64(seq) || f.Field(t, "delivered_seq") != float64(seq) ||
		f.Field(t, "unread") != nil {
		t.Errorf("the other member got %s", f.Raw)
	}
	bob.Rest("PUT", "/chats/"+id+"/cursor", map[string]any{"read_seq": last}, http.StatusOK, nil)
	for _, s := range []*client.Socket{phone, laptop} {
		if f := s.Want("cursor"); f.Field(t, "read_seq") != float64(last) || f.Field(t, "unread") != 0.0 {
			t.Errorf("a device got %s", f.Raw) // the phone gets no push of what it did itself
		}
	}
	if f := a.Want("cursor"); f.Field(t, "read_seq") != float64(last) {
		t.Errorf("after the first, the other member got %s", f.Raw)
	}
	// What moves nothing is not pushed.
	phone.OK("cursor.set", map[string]any{"chat_id": id, "read_seq": 1})
	a.OK("ping", map[string]any{})
	if f := a.Seen[len(a.Seen)-1]; f.Op == "cursor" {
		t.Errorf("what moved nothing was pushed: %s", f.Raw)
	}
}

func TestCursorsOfALargeChatAreNotPushed(t *testing.T) {
	var file string
	n := startNode(t, withDatabase(&file))
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	a, phone, laptop := ada.Fresh(), bob.Fresh(), bob.Fresh()
	execute(t, file, "UPDATE streams SET members = 65 WHERE id = $1", id)
	seq := ada.Say(id, "one")
	phone.OK("cursor.set", map[string]any{"chat_id": id, "read_seq": seq})
	laptop.Want("cursor")
	small := ada.Group(bob)
	phone.Until("the small chat", func(f client.Frame) bool { return f.Op == "chat.joined" })
	phone.OK("cursor.set", map[string]any{"chat_id": small, "read_seq": ada.Say(small, "hello")})
	if f := a.Want("cursor"); f.ChatID != small {
		t.Errorf("pushed in the large chat: %s", f.Raw)
	}
}
