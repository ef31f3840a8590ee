package server_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

func TestAuthenticationOfASocket(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")

	t.Run("by command", func(t *testing.T) {
		s := client.Dial(t, n.url, nil)
		s.Refused("ping", map[string]any{}, "unauthenticated")
		s.Refused("auth", map[string]any{"token": "no"}, "unauthenticated")
		s.Refused("auth", map[string]any{}, "bad_request")
		s.OK("auth", map[string]any{"token": ada.Token})
		hello := s.Want("hello")
		if hello.Field(t, "user_id") != ada.ID {
			t.Errorf("hello is %s", hello.Raw)
		}
		for _, name := range []string{"session_id", "epoch", "heartbeat_ms", "server_time", "limits"} {
			if hello.Field(t, name) == nil {
				t.Errorf("hello has no %s: %s", name, hello.Raw)
			}
		}
		s.Refused("auth", map[string]any{"token": ada.Token}, "bad_request")
		s.OK("ping", map[string]any{})
	})
	t.Run("by cookie", func(t *testing.T) {
		for _, stale := range []string{"", "fechatter_session=stale; "} {
			s := client.Dial(t, n.url, http.Header{"Cookie": {stale + "fechatter_session=" + ada.Token}})
			s.Want("hello")
		}
	})
	t.Run("a bad token leaves time for auth, then 4501", func(t *testing.T) {
		t.Parallel()
		s := client.Dial(t, n.url, http.Header{"Authorization": {"Bearer nonsense"}})
		s.Closes(4501)
	})
}

func TestOriginOfASocket(t *testing.T) {
	n := startNode(t)
	for origin, want := range map[string]int{
		"":                    http.StatusSwitchingProtocols,
		n.url:                 http.StatusSwitchingProtocols,
		"null":                http.StatusForbidden,
		"http://evil.example": http.StatusForbidden,
		strings.Replace(n.url, "http:", "https:", 1): http.StatusForbidden,
	} {
		header := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
		if origin != "" {
			header.Set("Origin", origin)
		}
		if a := client.Do(t, "GET", n.url+"/ws", nil, header); a.Status != want {
			t.Errorf("Origin %q: %d, want %d", origin, a.Status, want)
		}
	}
}

func TestWhatEndsASocket(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	long := func(n int) string { return `{"id":"1","op":"ping","d":{"x":"` + strings.Repeat("x", n) + `"}}` }
	for name, tc := range map[string]struct {
		kind  websocket.MessageType
		data  string
		fresh bool
		code  int
	}{
		"invalid UTF-8":                  {websocket.MessageText, "{\"id\":\"\xff\"}", true, 1007},
		"binary":                         {websocket.MessageBinary, `{"id":"1","op":"ping"}`, true, 4502},
		"not JSON":                       {websocket.MessageText, `ping`, true, 4502},
		"an array":                       {websocket.MessageText, `[]`, true, 4502},
		"second resume":                  {websocket.MessageText, `{"id":"2","op":"resume","d":{}}`, true, 4502},
		"over 64 KiB when ready":         {websocket.MessageText, long(64 << 10), true, 1009},
		"over 1 MiB before resume":       {websocket.MessageText, long(1 << 20), false, 1009},
		"under 1 MiB before resume (ok)": {websocket.MessageText, long(100 << 10), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ada := ada.As(t, "")
			s := ada.Dial()
			if tc.fresh {
				s = ada.Fresh()
			}
			s.Write(tc.kind, tc.data)
			if tc.code == 0 {
				s.Want("ok")
				return
			}
			s.Closes(tc.code)
		})
	}
	t.Run("over 4 KiB before auth", func(t *testing.T) {
		s := client.Dial(t, n.url, nil)
		s.Write(websocket.MessageText, long(4<<10))
		s.Closes(1009)
	})
}

func TestSendAndReceive(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	a, b := ada.Fresh(), bob.Fresh()

	sent := a.OK("message.send", map[string]any{"chat_id": id, "key": "k1", "body": "hi @bob"})
	if sent.Field(t, "replayed") != false || sent.Field(t, "ts") == nil {
		t.Errorf("ack %s", sent.Raw)
	}
	for _, s := range []*client.Socket{a, b} {
		e := s.Want("message.created")
		if e.Field(t, "key") != "k1" || e.Field(t, "body") != "hi @bob" || e.Field(t, "id") != sent.Field(t, "message_id") ||
			float64(e.Seq) != sent.Field(t, "seq") {
			t.Errorf("event %s for ack %s", e.Raw, sent.Raw)
		}
	}
	again := a.OK("message.send", map[string]any{"chat_id": id, "key": "k1", "body": "hi @bob"})
	if again.Field(t, "replayed") != true || again.Field(t, "seq") != sent.Field(t, "seq") || again.Field(t, "ts") != sent.Field(t, "ts") {
		t.Errorf("replay %s of %s", again.Raw, sent.Raw)
	}
	a.Refused("message.send", map[string]any{"chat_id": id, "key": "k1", "body": "other"}, "key_reused")
	a.Refused("message.send", map[string]any{"chat_id": id, "key": "k2", "body": " \n"}, "bad_request")
	a.Refused("message.send", map[string]any{"chat_id": uuid.NewString(), "key": "k2", "body": "x"}, "not_found")
	a.Refused("message.send", map[string]any{"chat_id": id, "key": "", "body": "x"}, "bad_request")

	message := map[string]any{"message_id": sent.Field(t, "message_id")}
	b.OK("reaction.add", with(message, "emoji", "👍"))
	a.Want("reaction.added")
	if f := b.OK("reaction.add", with(message, "emoji", "👍")); f.Field(t, "seq") != nil {
		t.Errorf("a second reaction made %s", f.Raw)
	}
	b.OK("reaction.remove", with(message, "emoji", "👍"))
	a.Want("reaction.removed")
	b.Refused("message.edit", with(with(message, "body", "mine"), "version", 1), "forbidden")
	edited := a.OK("message.edit", with(with(message, "body", "hello"), "version", 1))
	if edited.Field(t, "version") != 2.0 {
		t.Errorf("edit answered %s", edited.Raw)
	}
	b.Want("message.edited")
	a.Refused("message.edit", with(with(message, "body", "late"), "version", 1), "conflict")
	a.OK("message.delete", message)
	deleted := b.Want("message.deleted")
	if got := b.OK("cursor.set", map[string]any{"chat_id": id, "read_seq": deleted.Seq + 100}); got.Field(t, "read_seq") != float64(deleted.Seq) ||
		got.Field(t, "delivered_seq") != float64(deleted.Seq) {
		t.Errorf("cursor %s", got.Raw)
	}
	a.OK("ping", map[string]any{})
	if got, want := b.Seqs(id), []int64{4, 5, 6, 7, 8}; !slices.Equal(got, want) {
		t.Errorf("bob saw %v, want %v", got, want)
	}
}

func with(m map[string]any, key string, v any) map[string]any {
	c := map[string]any{key: v}
	maps.Copy(c, m)
	return c
}

func TestJoinAndRemoval(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	b := bob.Fresh()
	id := ada.Group()
	ada.Say(id, "before")
	ada.Rest("POST", "/chats/"+id+"/members", map[string]any{"user_id": bob.ID}, http.StatusCreated, nil)
	joined := b.Want("chat.joined")
	if joined.Field(t, "chat", "id") != id || joined.Field(t, "chat", "last_seq") != 4.0 || joined.Field(t, "chat", "unread") != 0.0 {
		t.Errorf("joined %s", joined.Raw)
	}
	ada.Say(id, "welcome")
	b.Want("message.created")
	var removal struct{ Seq int64 }
	ada.Rest("DELETE", "/chats/"+id+"/members/"+bob.ID, nil, http.StatusOK, &removal)
	last := b.Want("member.removed")
	left := b.Want("chat.left")
	if last.Seq != removal.Seq || left.Field(t, "seq") != float64(removal.Seq) || left.Field(t, "chat_id") != id {
		t.Errorf("removal %d: %s, %s", removal.Seq, last.Raw, left.Raw)
	}
	ada.Say(id, "alone")
	ada.Rest("POST", "/chats/"+id+"/members", map[string]any{"user_id": bob.ID}, http.StatusCreated, nil)
	if again := b.Want("chat.joined"); again.Field(t, "chat", "last_seq") != 8.0 {
		t.Errorf("joined again: %s", again.Raw)
	}
	ada.Say(id, "again")
	b.Want("message.created")
	if got, want := b.Seqs(id), []int64{5, 6, 9}; !slices.Equal(got, want) {
		t.Errorf("bob saw %v, want %v", got, want)
	}
}

func TestRevokedSessionCloses(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	other := ada.As(t, ada.Login("phone"))
	mine, theirs, idle := ada.Fresh(), other.Fresh(), ada.Dial()
	ada.Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
	mine.Closes(4500)
	idle.Closes(4500)
	theirs.Want("session.revoked")
	theirs.OK("ping", map[string]any{})
	other.Token = other.Login("tablet")
	other.Rest("PUT", "/me/password", map[string]any{"current_password": client.Password, "new_password": "another horse"}, http.StatusNoContent, nil)
	theirs.Closes(4500)
}

func TestTooManyConnections(t *testing.T) {
	n := startNode(t, withConnectionsPerUser(2))
	ada := client.SignUp(t, n.url, "ada")
	ada.Dial()
	ada.Dial()
	client.Dial(t, n.url, http.Header{"Authorization": {"Bearer " + ada.Token}}).Closes(4504)
}

func TestSendsAreLimited(t *testing.T) {
	n := startNode(t, withSends(1, 3))
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	s := ada.Fresh()
	send := func(key string) client.Frame {
		return s.Call("message.send", map[string]any{"chat_id": id, "key": key, "body": "x"})
	}
	first := send("k0")
	limited := 0
	for range 1000 { // a slow machine gets tokens back meanwhile
		f := send(client.NewKey())
		if f.Op == "ok" {
			continue
		}
		if f.Field(t, "code") != "rate_limited" || f.Field(t, "retry_after_ms") == nil {
			t.Fatalf("refused with %s", f.Raw)
		}
		if limited++; limited == 20 {
			if again := send("k0"); again.Field(t, "seq") != first.Field(t, "seq") {
				t.Errorf("a replay was refused: %s", again.Raw)
			}
		}
		if limited == 30 {
			s.Closes(4005)
			return
		}
	}
	t.Errorf("%d refusals did not close the connection", limited)
}

// A replay draws from no budget: a client that sends its whole outbox again is
// answered, however much that is.
func TestReplaysAreNotLimited(t *testing.T) {
	n := startNode(t, withSends(1, 3))
	ada := client.SignUp(t, n.url, "ada")
	send := map[string]any{"chat_id": ada.Group(), "key": "k0", "body": "x"}
	s := ada.Fresh()
	s.OK("message.send", send)
	for range 300 {
		s.OK("message.send", send)
	}
}

func TestNoLimitOfSendsIsNoneOfCommands(t *testing.T) {
	n := startNode(t)
	s := client.SignUp(t, n.url, "ada").Fresh()
	for range 300 {
		s.OK("ping", map[string]any{})
	}
}

// A full node refuses at the upgrade, and lets the next client in once one has left.
func TestFullNode(t *testing.T) {
	n := startNode(t, func(c *app.Config) { c.Limits.Connections = 1 })
	ada := client.SignUp(t, n.url, "ada")
	first := ada.Fresh()
	ask := func() int {
		return client.Do(t, "GET", n.url+"/api/v1/events", nil, http.Header{"Authorization": {"Bearer " + ada.Token}}).Status
	}
	if status := ask(); status != http.StatusServiceUnavailable {
		t.Errorf("a second connection: %d", status)
	}
	_ = first.WS.CloseNow()
	first.End()
	for deadline := time.Now().Add(time.Minute); ask() != http.StatusOK; {
		if time.Now().After(deadline) {
			t.Fatal("nobody is let in after the first has left")
		}
	}
}
