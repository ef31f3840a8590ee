package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"fechatter/bus"
	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/hub"
)

// insider is a program that has everything a node has, the key of the bus too, and lies.
type insider struct{ *bus.Bus }

// Receive implements bus.Node, like the next ones: an insider does not listen.
func (insider) Receive(string, []byte, string) error { return nil }
func (insider) Hinted(string, []byte) error          { return nil }
func (insider) Announced([]byte)                     {}
func (insider) Asked([]byte, func([]byte))           {}
func (insider) BusLost(bool)                         {}
func (insider) CheckNow()                            {}

// insider joins the bus with the key that the database holds.
func (s *scenario) insider() insider {
	s.t.Helper()
	rows, err := s.Query(s.ctx, "SELECT value FROM meta WHERE name = 'bus'")
	s.must(err)
	var stored struct{ Keys []bus.Key }
	s.must(json.Unmarshal([]byte(rows[0]), &stored))
	b, err := bus.New(bus.Config{
		URL:     "nats://" + cluster.NatsUser + ":" + cluster.NatsPassword + "@" + s.Nodes[0].Buses[0].Addr(),
		Keyring: bus.Keyring{Sign: stored.Keys[0], Believed: stored.Keys, Now: time.Now()},
	})
	s.must(err)
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, insider{b}) }()
	s.t.Cleanup(func() {
		cancel()
		s.must(<-ended)
	})
	s.eventually("the insider is connected", func() bool { return b.Stats().Connected })
	return insider{b}
}

// lie publishes a message that nobody has sent, under a seq of a chat.
func (i insider) lie(chatID string, seq int64) error {
	data, err := hub.Event{Stream: chatID, Seq: seq, Op: "message.created", Kind: hub.Content, Target: seq, Data: fmt.Appendf(nil,
		`{"op":"message.created","chat_id":%q,"seq":%d,"ts":"2026-01-01T00:00:00.000Z","actor_id":"x","d":{"body":"a lie"}}`, chatID, seq)}.AppendBinary(nil)
	if err == nil {
		i.Publish(chatID, data, "")
	}
	return err
}

// TestFalseEventIsExposed has somebody with the key of the bus take the seq of the next message: as
// soon as the true one is sent, whoever was given the false one is told to read the chat anew, on
// the node where it was sent and on the others, and follows what is true from there.
func TestFalseEventIsExposed(t *testing.T) {
	if !all() {
		t.Parallel()
	}
	s := begin(t, cluster.Config{})
	ada, bob, eve := client.SignUp(t, s.Nodes[0].URL(), "ada"), client.SignUp(t, s.Nodes[1].URL(), "bob"), client.SignUp(t, s.Nodes[2].URL(), "eve")
	chatID := ada.Group(bob, eve)
	first := ada.Say(chatID, "first")
	sockets := []*client.Socket{ada.Fresh(), bob.Fresh(), eve.Fresh()}
	i := s.insider()
	s.must(i.lie(chatID, first+1))
	for _, socket := range sockets {
		socket.Until("the lie", func(f client.Frame) bool {
			return f.Op == "message.created" && f.Field(t, "body") == "a lie"
		})
	}
	began := time.Now()
	if seq := bob.Say(chatID, "the truth"); seq != first+1 {
		t.Fatalf("the truth has seq %d, the lie %d", seq, first+1)
	}
	for _, socket := range sockets {
		f := socket.Want("reset")
		if f.Field(t, "reason") != "ahead" {
			t.Errorf("got %s", f.Raw)
		}
	}
	within(t, "exposed", began)
	last := eve.Say(chatID, "and on")
	for _, socket := range sockets {
		socket.Until("what follows", func(f client.Frame) bool { return f.Op == "message.created" && f.Field(t, "body") == "and on" })
	}
	var history struct{ Messages []struct{ Body string } }
	ada.Rest("GET", "/chats/"+chatID+"/messages", nil, 200, &history)
	if n := len(history.Messages); n != 3 || history.Messages[1].Body != "the truth" || last != first+2 {
		t.Errorf("the chat is %+v", history)
	}
}
