package server_test

import (
	"net/http"
	"testing"

	"fechatter/conform/client"
)

type madeKey struct{ ID, Key string }

// bot makes one with a key, as an administrator, and returns it as a person who has the key
// instead of a session.
func bot(t *testing.T, root *client.Person, name string, scopes ...string) (*client.Person, madeKey) {
	t.Helper()
	var u struct{ ID string }
	root.Rest("POST", "/bots", map[string]any{"username": name}, http.StatusCreated, &u)
	var k madeKey
	root.Rest("POST", "/bots/"+u.ID+"/keys", map[string]any{"name": "test", "scopes": scopes}, http.StatusCreated, &k)
	p := root.As(t, k.Key)
	p.ID, p.Name = u.ID, name
	return p, k
}

// TestBotLives: a bot follows a chat by its key, answers, and loses its connections when the
// key is revoked.
func TestBotLives(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	root := client.SignUp(t, n.url, "root")
	b, k := bot(t, root, "echo", "read", "send")
	id := root.Group(b)
	s, stream := b.Fresh(), b.Stream("")
	stream.Want("ready")
	root.Say(id, "hello")
	s.Until("the message", func(f client.Frame) bool { return f.Op == "message.created" && f.Field(t, "body") == "hello" })
	s.OK("message.send", map[string]any{"chat_id": id, "key": client.NewKey(), "body": "hello yourself"})
	reader, _ := bot(t, root, "reader", "read")
	s2 := reader.Fresh()
	s2.Refused("message.send", map[string]any{"chat_id": id, "key": client.NewKey(), "body": "x"}, "forbidden")
	root.Rest("DELETE", "/bots/"+b.ID+"/keys/"+k.ID, nil, http.StatusNoContent, nil)
	s.Closes(4500)
	stream.Ends()
	b.Rest("GET", "/me", nil, http.StatusUnauthorized, nil)
	s2.OK("ping", map[string]any{})
}
