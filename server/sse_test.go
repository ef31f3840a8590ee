package server_test

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"testing"

	"fechatter/conform/client"
)

func TestEventStream(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	b := bob.Stream("")
	for _, op := range []string{"hello", "chats", "ready"} {
		b.Want(op)
	}
	first := b.LastID()
	ada.Say(id, "live")
	b.Want("message.created")
	second := b.LastID()
	if second == first || len(second) > 4<<10 {
		t.Errorf("token %q after %q", second, first)
	}
	b.Close()
	other := ada.Group(bob)
	missed := []int64{ada.Say(id, "one"), ada.Say(id, "two")}

	again := bob.Stream(second)
	again.Want("ready")
	if got := again.Seqs(id); !slices.Equal(got, missed) {
		t.Errorf("resumed with %v, want %v", got, missed)
	}
	seq := ada.Say(other, "in a chat of which the token knew nothing")
	if f := again.Want("message.created"); f.ChatID != other || f.Seq != seq {
		t.Errorf("live event %s", f.Raw)
	}
	older := bob.Stream(first)
	older.Want("ready")
	if got := older.Seqs(id); !slices.Equal(got, append([]int64{4}, missed...)) {
		t.Errorf("resumed with %v", got)
	}

	t.Run("the token resumes a socket", func(t *testing.T) {
		s := bob.Connect(map[string]any{"token": second})
		s.Want("ready")
		if got := s.Seqs(id); !slices.Equal(got, missed) {
			t.Errorf("resumed with %v, want %v", got, missed)
		}
	})
	t.Run("nonsense gives resets", func(t *testing.T) {
		s := bob.Stream("nonsense")
		s.Want("ready")
		resets := 0
		for _, f := range s.Seen {
			if f.Op == "reset" {
				resets++
			}
		}
		if resets != 2 {
			t.Errorf("%d resets", resets)
		}
	})
	t.Run("removal ends a chat", func(t *testing.T) {
		ada.Rest("DELETE", "/chats/"+id+"/members/"+bob.ID, nil, http.StatusOK, nil)
		again.Want("member.removed")
		again.Want("chat.left")
	})
	t.Run("revoking ends the stream", func(t *testing.T) {
		bob.Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
		again.Want("session.revoked")
		again.Ends()
	})
	t.Run("no credential, foreign origin", func(t *testing.T) {
		for header, want := range map[[2]string]int{
			{"X-Nothing", "1"}:                           http.StatusUnauthorized,
			{"Origin", "http://evil.example"}:            http.StatusForbidden,
			{"Authorization", "Bearer " + bob.Token}:     http.StatusUnauthorized,
			{"Cookie", "fechatter_session=" + bob.Token}: http.StatusUnauthorized,
		} {
			req, err := http.NewRequest(http.MethodGet, n.url+"/api/v1/events", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set(header[0], header[1])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%v: %d, want %d", header, res.StatusCode, want)
			}
		}
	})
}

// TestHeaderOfTheEventStream: the stream writes its head itself, and leaves out
// nothing that every other answer carries.
func TestHeaderOfTheEventStream(t *testing.T) {
	n := startNode(t)
	req, err := http.NewRequest(http.MethodGet, n.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+client.SignUp(t, n.url, "ada").Token)
	req.Header.Set("X-Request-Id", "mine")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for name, want := range map[string]string{"X-Request-Id": "mine", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"} {
		if got := res.Header.Values(name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q once", name, got, want)
		}
	}
}

func TestHeadOfTheEventStream(t *testing.T) {
	n := startNode(t)
	req, err := http.NewRequest(http.MethodHead, n.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+client.SignUp(t, n.url, "ada").Token)
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, req)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%v, %v", res, err)
	}
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	if next, err := http.ReadResponse(r, req); err != nil { // a body would be taken for it
		t.Errorf("the connection does not go on: %v, %v", next, err)
	}
}

// A token is a little older than what its client holds: of a chat joined in
// between, the client may have anything.
func TestChatJoinedAfterTheToken(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	ada.Group(bob)
	s := bob.Stream("")
	s.Want("ready")
	token := s.LastID()
	id := ada.Group(bob)
	s.Want("chat.joined")
	ada.Say(id, "seen")
	s.Want("message.created")
	s.Close()
	missed := ada.Say(id, "missed")

	again := bob.Stream(token)
	if reset := again.Want("reset"); reset.ChatID != id || reset.Seq != missed || reset.Field(t, "reason") != "rejoined" {
		t.Errorf("told %s, want a reset of %s to %d", reset.Raw, id, missed)
	}
	again.Want("ready")
	if seq := ada.Say(id, "live"); again.Want("message.created").Seq != seq {
		t.Error("not live")
	}
}
