package app

import (
	"net/http"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/conform/client"
	"fechatter/timeline"
)

// A message that was sent, delivered to two connections and indexed shows every stage,
// in order.
func TestTimelineOfOneNode(t *testing.T) {
	t.Parallel()
	url, _ := serveUntilStopped(t, "sqlite:"+t.TempDir()+"/chat.db")
	root, ann, bob := client.SignUp(t, url, "root"), client.SignUp(t, url, "ann"), client.SignUp(t, url, "bob")
	room := ann.Group(bob)
	here, there := ann.Fresh(), bob.Fresh()
	sent := here.OK("message.send", map[string]any{"chat_id": room, "key": client.NewKey(), "body": "when?"})
	there.Want("message.created")
	id, _ := sent.Field(t, "message_id").(string)
	var s timeline.Stages
	deadline := time.After(time.Minute)
	for tick := time.Tick(20 * time.Millisecond); s.IndexedAt == 0; {
		select {
		case <-tick:
		case <-deadline:
			t.Fatalf("not indexed within a minute: %+v", s)
		}
		var got struct{ Nodes []timeline.Stages }
		root.Rest("GET", "/messages/"+id+"/timeline", nil, http.StatusOK, &got)
		if len(got.Nodes) != 1 {
			t.Fatalf("known to %+v, want one node", got.Nodes)
		}
		s = got.Nodes[0]
	}
	last := chat.Time(1) // what did not happen is 0
	for _, at := range []chat.Time{s.ReceivedAt, s.CommittedAt, s.PublishedAt, s.DeliveredAt, s.IndexedAt} {
		if at < last {
			t.Errorf("a stage is missing or out of order: %+v", s)
		}
		last = at
	}
	if s.Connections != 2 || s.Node == "" {
		t.Errorf("got %+v, want two connections and a node id", s)
	}
	ann.Rest("GET", "/messages/"+id+"/timeline", nil, http.StatusForbidden, nil)
}
