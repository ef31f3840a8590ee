package server

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"fechatter/chat"
)

// An administrator sees when a message of any chat passed each stage, and nothing of
// its content.
func TestTimeline(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	root, ann := n.person("root"), n.person("ann")
	room, key := ann.group(), uuid.NewString()
	before := chat.TimeOf(time.Now())
	say := func(status int) answer {
		return ann.want(status, "POST", "/chats/"+room+"/messages", object{"body": "a secret"}, "Idempotency-Key", key)
	}
	m := say(201)
	after := chat.TimeOf(time.Now())
	path := "/messages/" + m.field("id") + "/timeline"
	first := root.want(200, "GET", path, nil)
	if len(first.body) != 4 || first.field("message_id") != m.field("id") || first.field("chat_id") != room || first.field("seq") != m.field("seq") {
		t.Errorf("timeline: %s", first.raw)
	}
	nodes := first.list(t, "nodes")
	if len(nodes) != 1 || len(nodes[0]) != 2 || nodes[0]["node"] != "test" {
		t.Fatalf("of a node that has received it and no more: %s", first.raw)
	}
	if at := textOf(nodes[0]["received_at"]); at < before.String() || at > after.String() {
		t.Errorf("received at %s, want between %s and %s", at, before, after)
	}
	say(200)
	if again := root.want(200, "GET", path, nil); string(again.raw) != string(first.raw) {
		t.Errorf("after a replay: %s, before: %s", again.raw, first.raw)
	}
	ann.refused(chat.Forbidden, "GET", path, nil)
	root.refused(chat.NotFound, "GET", "/messages/"+uuid.NewString()+"/timeline", nil)
	root.refused(chat.NotFound, "GET", "/messages/nothing/timeline", nil)

	unheard, err := n.server.chat.Send(t.Context(), chat.Send{ChatID: room, SenderID: ann.id, Key: "k", Body: "of another node that is gone"})
	if err != nil {
		t.Fatal(err)
	}
	root.refused(chat.NotFound, "GET", "/messages/"+unheard.MessageID+"/timeline", nil)
}
