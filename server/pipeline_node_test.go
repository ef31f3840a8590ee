package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"

	"github.com/jackc/pgx/v5"
)

// sayKeys sends count messages without waiting for an answer. The id of each command is its key.
func sayKeys(s *client.Socket, chatID string, count int) {
	for i := range count {
		key := fmt.Sprintf("k%03d", i)
		s.Say(key, "message.send", map[string]any{"chat_id": chatID, "key": key, "body": key})
	}
}

// answerTo waits for the answer to one command.
func answerTo(s *client.Socket, id string) client.Frame {
	is := func(f client.Frame) bool { return f.Re != nil && *f.Re == id }
	if i := slices.IndexFunc(s.Seen, is); i >= 0 {
		return s.Seen[i]
	}
	return s.Until("the answer to "+id, is)
}

func TestPipelinedSendsKeepTheirOrder(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	first := ada.Fresh().OK("message.send", map[string]any{"chat_id": id, "key": "first", "body": "to be edited"})
	s := ada.Fresh()
	sayKeys(s, id, 200)
	s.Say("refused", "message.send", map[string]any{"chat_id": id, "key": "r", "body": "answers nothing", "reply_to": id})
	s.Say("edit", "message.edit", map[string]any{"message_id": first.Field(t, "message_id"), "body": "edited", "version": 1})
	edited := answerTo(s, "edit")
	last := first.Field(t, "seq").(float64)
	for i := range 200 {
		a := answerTo(s, fmt.Sprintf("k%03d", i))
		if seq := a.Field(t, "seq").(float64); seq != last+1 {
			t.Fatalf("send %d has seq %v after %v", i, seq, last)
		}
		last++
	}
	if a := answerTo(s, "refused"); a.Op != "error" {
		t.Errorf("a reply to nothing: %s", a.Raw)
	}
	if seq := edited.Field(t, "seq").(float64); seq != last+1 {
		t.Errorf("the edit behind the sends has seq %v, the last send %v", seq, last)
	}
}

// A client that sends and asks to close in one breath gets its acks first.
func TestCloseWaitsForSends(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	nc, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	var said bytes.Buffer
	said.WriteString("GET /ws HTTP/1.1\r\nHost: " + nc.RemoteAddr().String() + "\r\nAuthorization: Bearer " + ada.Token +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	const text, closing = 0x81, 0x88
	for i := range 50 {
		said.Write(masked(text, fmt.Sprintf(`{"id":"%d","op":"message.send","d":{"chat_id":%q,"key":"k%[1]d","body":"hi"}}`, i, id)))
	}
	said.Write(masked(closing, "\x03\xe8"))
	if _, err := nc.Write(said.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := nc.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	heard, err := io.ReadAll(nc) // to the end, which follows the answer to the close frame
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(heard, []byte(`"op":"ok"`)); got != 50 {
		t.Errorf("%d acks, want 50", got)
	}
}

// masked returns a client's frame of a short payload: all that the contract needs of RFC 6455.
func masked(first byte, payload string) []byte {
	frame := []byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0} // a mask of zeros leaves it as it is
	if len(payload) > 125 {
		frame = []byte{first, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload)), 0, 0, 0, 0}
	}
	return append(frame, payload...)
}

// Of the sends under way when a connection dies each is stored, and found by its key, or is not:
// what is stored is the beginning of what was sent.
func TestConnectionDiesWithSendsUnderWay(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	s := ada.Fresh()
	sayKeys(s, id, 100)
	_ = s.WS.CloseNow()
	again := ada.Fresh()
	last, missing := 0.0, false
	for i := range 100 {
		key := fmt.Sprintf("k%03d", i)
		a := again.OK("message.send", map[string]any{"chat_id": id, "key": key, "body": key})
		replayed := a.Field(t, "replayed") == true
		if replayed && missing {
			t.Fatalf("send %d was stored, one before it was not", i)
		}
		missing = missing || !replayed
		if seq := a.Field(t, "seq").(float64); seq <= last {
			t.Fatalf("send %d has seq %v after %v", i, seq, last)
		} else {
			last = seq
		}
	}
}

// Whoever is removed in the middle of their sends has the acks of those before the removal, and
// refusals of the rest.
func TestRemovalInsideThePipeline(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	s := bob.Fresh()
	sayKeys(s, id, 60)
	answerTo(s, "k000")
	var removal struct{ Seq float64 }
	ada.Rest("DELETE", "/chats/"+id+"/members/"+bob.ID, nil, 200, &removal)
	refused := false
	for i := range 60 {
		a := answerTo(s, fmt.Sprintf("k%03d", i))
		if a.Op == "ok" && a.Field(t, "seq").(float64) >= removal.Seq {
			t.Errorf("send %d was stored after the removal at %v: %s", i, removal.Seq, a.Raw)
		}
		if a.Op == "ok" && refused {
			t.Errorf("send %d was stored, one before it was refused", i)
		}
		refused = refused || a.Op == "error"
	}
}

// A chat that somebody else holds locked keeps the sends to other chats of the same connection
// from nothing, and its own in order.
func TestLaneInsideThePipeline(t *testing.T) {
	database := onPostgres(t)
	n := startNode(t, func(c *app.Config) { c.Database = database })
	ada := client.SignUp(t, n.url, "ada")
	held, free := ada.Group(), ada.Group()
	db, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT 1 FROM streams WHERE id = $1 FOR UPDATE", held); err != nil {
		t.Fatal(err)
	}
	s := ada.Fresh()
	sayKeys(s, held, 10)
	s.Say("free", "message.send", map[string]any{"chat_id": free, "key": "k", "body": "passes"})
	if a := answerTo(s, "free"); a.Op != "ok" {
		t.Errorf("beside a locked chat: %s", a.Raw)
	}
	if slices.ContainsFunc(s.Seen, func(f client.Frame) bool { return f.Re != nil && *f.Re == "k000" }) {
		t.Errorf("a send to the locked chat was answered: %s", s.Story())
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for i := range 10 {
		a := answerTo(s, fmt.Sprintf("k%03d", i))
		if seq := a.Field(t, "seq").(float64); seq <= last {
			t.Errorf("send %d has seq %v after %v", i, seq, last)
		} else {
			last = seq
		}
	}
}
