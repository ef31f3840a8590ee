package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/proxy"
)

// TestSameKeyOnTwoNodes sends every message to two nodes at once under one key. Both
// answers name the same message, and one of them is marked as a replay.
func TestSameKeyOnTwoNodes(t *testing.T) {
	heavy(t)
	const keys = 500
	s := begin(t, cluster.Config{})
	ada := client.SignUp(t, s.Nodes[0].URL(), "ada")
	id := ada.Group()
	sockets := []*client.Socket{ada.Dial(), ada.On(s.Nodes[1].URL()).Dial()}
	for i := range keys {
		if i%100 == 0 { // now one is faster, now the other
			for _, n := range s.Nodes[:2] {
				n.Database.Set(proxy.Fault{Delay: s.between(0, 3*time.Millisecond)})
			}
		}
		d := map[string]any{"chat_id": id, "key": fmt.Sprintf("k%d", i), "body": "hello"}
		command := fmt.Sprintf("c%d", i)
		first := s.rng.IntN(2)
		sockets[first].Say(command, "message.send", d)
		sockets[1-first].Say(command, "message.send", d)
		var seen [2]sent
		for j, socket := range sockets {
			f := socket.Until("the answer", func(f client.Frame) bool { return f.Re != nil && *f.Re == command })
			seen[j] = sent{f.Op, f.Field(t, "message_id"), f.Field(t, "seq"), f.Field(t, "ts")}
			if f.Field(t, "replayed") == true {
				seen[j].op += ", replayed"
			}
		}
		a, b := seen[0], seen[1]
		if a.op > b.op {
			a, b = b, a
		}
		if a.op != "ok" || b.op != "ok, replayed" || a.id != b.id || a.seq != b.seq || a.ts != b.ts {
			t.Fatalf("key %d: answered %+v and %+v", i, a, b)
		}
	}
	var page struct {
		LastSeq int64 `json:"last_seq"`
	}
	ada.Rest("GET", "/chats/"+id+"/messages?limit=1", nil, http.StatusOK, &page)
	if page.LastSeq != keys+2 { // chat.created and member.added came before
		t.Errorf("%d events of %d keys", page.LastSeq, keys)
	}
}

// sent is the answer to one send.
type sent struct {
	op          string
	id, seq, ts any
}
