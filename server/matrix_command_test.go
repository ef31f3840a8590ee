package server

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fechatter/chat"

	"github.com/google/uuid"
)

// commandExpectation is what each role gets from one command: the code of the
// error, or "" for an answer.
type commandExpectation struct {
	d    object
	want [len(roles)]chat.Code
}

func known(code chat.Code) [len(roles)]chat.Code {
	return [...]chat.Code{chat.Unauthenticated, code, code, code, code, code}
}

func inChat(member, admin chat.Code) [len(roles)]chat.Code {
	return [...]chat.Code{chat.Unauthenticated, chat.NotFound, chat.NotFound, member, admin, chat.NotFound}
}

func commandMatrix() map[string]commandExpectation {
	message := object{"message_id": "{message}"}
	reaction := object{"message_id": "{message}", "emoji": "👍"}
	return map[string]commandExpectation{
		"auth":            {object{"token": "nonsense"}, known(chat.BadRequest)}, // they are authenticated already
		"resume":          {object{}, known("")},
		"ping":            {object{}, known("")},
		"activity":        {object{}, known("")},
		"presence.set":    {object{"state": "dnd"}, known("")},
		"presence.watch":  {object{"user_ids": []string{}}, known("")},
		"message.send":    {object{"chat_id": "{chat}", "key": "{key}", "body": "hello"}, inChat("", "")},
		"message.edit":    {object{"message_id": "{message}", "body": "mine now", "version": 1}, inChat(chat.Forbidden, chat.Forbidden)},
		"message.delete":  {message, inChat(chat.Forbidden, "")},
		"reaction.add":    {reaction, inChat("", "")},
		"reaction.remove": {reaction, inChat("", "")},
		"cursor.set":      {object{"chat_id": "{chat}", "read_seq": 1}, inChat("", "")},
		"signal":          {object{"chat_id": "{chat}", "name": "x", "data": object{"x": 1}}, inChat("", "")},
		"typing.set":      {object{"chat_id": "{chat}", "typing": true}, inChat("", "")},
	}
}

// TestAuthorizationMatrixOfCommands runs every row of the commands' table as everybody.
func TestAuthorizationMatrixOfCommands(t *testing.T) {
	n := newNode(t, nil)
	n.runHub()
	people, c := n.cast()
	expected := commandMatrix()
	for _, row := range commands() {
		e, ok := expected[row.op]
		if !ok {
			t.Errorf("%s has no row in the matrix", row.op)
			continue
		}
		delete(expected, row.op)
		c.stage(t, people)
		for i, role := range roles {
			if got := c.command(t, people[role], row, e.d); got != e.want[i] {
				t.Errorf("%s by %s: got %q, want %q", row.op, role, got, e.want[i])
			}
		}
	}
	for op := range expected {
		t.Errorf("the matrix has a row for %s, the table has none", op)
	}
}

// command runs a command on a connection of its own.
func (c *cast) command(t *testing.T, who *person, row commandRow, d object) chat.Code {
	t.Helper()
	conn, _ := connect(t, who.n.server)
	defer conn.socket.CloseNow()
	if who.token != "" && !conn.welcomeByRequest(who.token) {
		t.Fatalf("%s is not welcome", who.name)
	}
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	filled := strings.NewReplacer("{chat}", c.chatID, "{message}", c.messageID, "{key}", uuid.NewString()).Replace(string(data))
	re := "1"
	err = conn.contained(row, &re, []byte(filled))
	if u := (*underWay)(nil); errors.As(err, &u) {
		conn.sends.flushed()
		err = u.err
	}
	return chat.CodeOf(err)
}

// runHub runs the node's hub until the test ends.
func (n *node) runHub() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.server.hub.Run(ctx) }()
	n.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			n.t.Error(err)
		}
		n.server.realtime.running.Wait()
	})
}
