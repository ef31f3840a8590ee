package conform

import (
	"net/http"
	"strings"

	"fechatter/conform/client"
)

// §5, the WebSocket.

func subprotocol(t *T, c *cast) {
	header := http.Header{"Authorization": {"Bearer " + c.ada.Token}}
	s := client.Dial(t, c.run.url, header)
	s.Want("hello")
	equal(t, "subprotocol", s.WS.WebSocket().Subprotocol(), client.Subprotocol)
	plain := client.DialPlain(t, c.run.url, header)
	plain.Want("hello")
	equal(t, "subprotocol of a client that offers none", plain.WS.WebSocket().Subprotocol(), "")
	plain.OK("ping", object{})
}

func hello(t *T, c *cast) {
	var raw object
	decode(t, c.ada.Dial().Seen[0].D, &raw)
	has(t, "hello", raw, "session_id", "user_id", "epoch", "heartbeat_ms", "server_time", "limits")
	equal(t, "user_id", raw["user_id"], any(c.ada.ID))
	limits, _ := raw["limits"].(object)
	has(t, "limits", limits, "frame_bytes", "body_bytes", "sends_per_second", "send_burst", "chat_members", "chats_per_user",
		"receipts_members", "resume_window", "resume_events")
}

func authCommand(t *T, c *cast) {
	s := client.Dial(t, c.run.url, nil)
	s.Refused("ping", object{}, "unauthenticated")
	s.Refused("resume", object{}, "unauthenticated")
	s.Refused("auth", object{"token": "nonsense"}, "unauthenticated")
	s.Refused("auth", object{}, "bad_request")
	s.OK("auth", object{"token": c.ada.Token})
	equal(t, "user_id", s.Want("hello").Field(t, "user_id"), any(c.ada.ID))
	s.Refused("auth", object{"token": c.ada.Token}, "bad_request")
	s.Say("r", "resume", object{})
	s.Want("ready")
}

func joinedAndLeft(t *T, c *cast) {
	b := c.bob.Fresh()
	of := func(op, id string) client.Frame {
		return b.Until(op, func(f client.Frame) bool {
			return f.Op == op && (f.ChatID == id || f.Field(t, "chat_id") == id) ||
				f.Op == op && op == "chat.joined" && f.Field(t, "chat", "id") == id
		})
	}
	id := c.ada.Group()
	c.ada.Say(id, "before")
	add := func() {
		c.ada.Rest("POST", "/chats/"+id+"/members", object{"user_id": c.bob.ID}, http.StatusCreated, nil)
	}
	var joined client.Frame
	within(t, "chat.joined", soon, func() {
		add()
		joined = of("chat.joined", id)
	})
	if seqs := b.Seqs(id); len(seqs) > 0 {
		t.Errorf("events %v of the chat came before chat.joined", seqs)
	}
	last, _ := joined.Field(t, "chat", "last_seq").(float64)
	equal(t, "last_seq of the entry", last, 4)
	equal(t, "unread of the entry", joined.Field(t, "chat", "unread"), any(0.0))
	welcome := c.ada.Say(id, "welcome")
	equal(t, "the first event", of("message.created", id).Seq, welcome)
	removal := seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.bob.ID)
	equal(t, "seq of member.removed", of("member.removed", id).Seq, removal)
	left := of("chat.left", id)
	equal(t, "seq of chat.left", left.Field(t, "seq"), any(float64(removal)))
	alone := c.ada.Say(id, "alone")
	add()
	again := of("chat.joined", id)
	equal(t, "last_seq when added again", again.Field(t, "chat", "last_seq"), any(float64(alone+1)))
	back := c.ada.Say(id, "again")
	of("message.created", id)
	equalLists(t, "bob saw", b.Seqs(id), []int64{welcome, removal, back})
}

// chatsFrames makes more chats than fit into one frame.
func chatsFrames(t *T, c *cast) {
	topic := strings.Repeat("字", 1000)
	made := map[string]bool{}
	for range 30 {
		var e entry
		c.eve.Rest("POST", "/chats", object{"kind": "group", "topic": topic}, http.StatusCreated, &e)
		made[e.ID] = true
	}
	s := c.eve.Fresh()
	frames := 0
	for _, f := range s.Seen {
		if f.Op == "chats" {
			frames++
		}
	}
	for id, e := range s.Entries() { // reports frames over 64 KiB
		if made[id] && e["topic"] == topic {
			delete(made, id)
		}
	}
	equal(t, "chats in no frame", len(made), 0)
	if frames < 2 {
		t.Errorf("all chats came in %d frames", frames)
	}
}
