package server_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"

	"github.com/coder/websocket"
	_ "modernc.org/sqlite" // the driver sqlite
)

// withDatabase stores in file where a node keeps its facts, to bring about what
// otherwise only time does.
func withDatabase(file *string) func(*app.Config) {
	return func(c *app.Config) { *file = strings.TrimPrefix(c.Database, "sqlite:") }
}

// execute changes a node's database behind its back.
func execute(t *testing.T, file, query string, args ...any) {
	t.Helper()
	executeOn(t, "sqlite", "file:"+file+"?_pragma=busy_timeout(30000)", query, args...)
}

func executeOn(t *testing.T, driver, url, query string, args ...any) {
	t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func TestExpiredSession(t *testing.T) {
	var file string
	n := startNode(t, withDatabase(&file))
	ada := client.SignUp(t, n.url, "ada")
	execute(t, file, "UPDATE sessions SET expires_at = $1", time.Now().Add(-time.Minute).UnixMilli())
	ada.Rest("GET", "/me", nil, http.StatusUnauthorized, nil)
	client.Dial(t, n.url, http.Header{"Authorization": {"Bearer " + ada.Token}}).Closes(4503)
	s := client.Dial(t, n.url, nil)
	s.Say("a", "auth", map[string]any{"token": ada.Token})
	s.Closes(4503)
}

// Where the log has been trimmed, no client goes on from before the cut in silence.
func TestTrimmedLog(t *testing.T) {
	var file string
	n := startNode(t, withDatabase(&file))
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	for i := range 20 {
		ada.Say(id, fmt.Sprint("message ", i))
	}
	execute(t, file, "DELETE FROM events WHERE stream_id = $1 AND seq <= 10", id)
	n.halt() // and with it what it remembers of the chat
	n = startNode(t, func(c *app.Config) { c.Database = "sqlite:" + file })
	ada, bob = ada.On(n.url), bob.On(n.url)
	var page struct {
		Events  []any
		LastSeq int64 `json:"last_seq"`
		Reset   struct {
			Reason string
			Seq    int64
		}
	}
	bob.Rest("GET", "/chats/"+id+"/events?after_seq=5", nil, http.StatusOK, &page)
	if len(page.Events) != 0 || page.Reset.Reason != "trimmed" || page.Reset.Seq != page.LastSeq || page.LastSeq != 23 {
		t.Errorf("events below the cut: %+v", page)
	}
	s := bob.Connect(map[string]any{"cursors": map[string]any{id: 5}})
	s.Want("ready")
	for _, f := range s.Seen {
		if f.ChatID == id && f.Op == "message.created" {
			t.Fatalf("a trimmed chat is replayed: %s", f.Raw)
		}
	}
	if f := s.Seen[2]; f.Op != "reset" || f.ChatID != id || f.Seq != 23 || f.Field(t, "reason") != "trimmed" {
		t.Errorf("after chats came %s", f.Raw)
	}
	if seq := ada.Say(id, "live"); s.Want("message.created").Seq != seq {
		t.Error("the live event does not follow")
	}
	s = bob.Connect(map[string]any{"cursors": map[string]any{id: 10}})
	s.Want("ready")
	if got := s.Seqs(id); len(got) != 14 || got[0] != 11 {
		t.Errorf("from the cut on: %v", got)
	}
}

func TestFullChatAndBusyUser(t *testing.T) {
	var file string
	n := startNode(t, withDatabase(&file))
	ada, bob, cat := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob"), client.SignUp(t, n.url, "cat")
	full, room := ada.Group(bob), ada.Group(bob)
	add := func(chatID string, status int) {
		t.Helper()
		ada.Rest("POST", "/chats/"+chatID+"/members", map[string]any{"user_id": cat.ID}, status, nil)
	}
	execute(t, file, "UPDATE streams SET members = 5000 WHERE id = $1", full)
	add(full, http.StatusConflict)
	execute(t, file, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
		INSERT INTO chat_members (user_id, chat_id, role, joined_at, added_seq) SELECT $1, 'chat-' || i, 'member', 0, 2 FROM n`, cat.ID)
	add(room, http.StatusCreated) // a request, which does not count
	cat.Rest("POST", "/chats", map[string]any{"kind": "group"}, http.StatusConflict, nil)
	cat.Rest("POST", "/chats/"+room+"/accept", nil, http.StatusConflict, nil)
	execute(t, file, "DELETE FROM chat_members WHERE user_id = $1 AND chat_id = 'chat-7'", cat.ID)
	cat.Rest("POST", "/chats/"+room+"/accept", nil, http.StatusOK, nil)
}

// A text that arrives in pieces, split within characters, is one frame.
func TestFragmentedFrame(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	id, s := ada.Group(), ada.Fresh()
	text := "Grüße 👋 你好"
	command := fmt.Sprintf(`{"id":"f","op":"message.send","d":{"chat_id":%q,"key":"k","body":%q}}`, id, text)
	w, err := s.WS.WebSocket().Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(command) {
		if _, err := w.Write([]byte{command[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if f := s.Want("message.created"); f.Field(t, "body") != text {
		t.Errorf("stored %s", f.Raw)
	}
}
