package conform

import (
	"net/http"

	"fechatter/conform/client"
)

// §4, the log.

func log(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	key := client.NewKey()
	var m message
	c.ada.Rest("POST", "/chats/"+id+"/messages", object{"body": "hi"}, http.StatusCreated, &m, "Idempotency-Key", key)
	seqOf(c.bob, "PUT", "/messages/"+m.ID+"/reactions/👍")
	seqOf(c.bob, "DELETE", "/messages/"+m.ID+"/reactions/👍")
	c.ada.Rest("PATCH", "/chats/"+id+"/members/"+c.bob.ID, object{"role": "admin"}, http.StatusOK, nil)
	c.ada.Rest("PATCH", "/chats/"+id, object{"topic": "news"}, http.StatusOK, nil)
	c.ada.Rest("PATCH", "/messages/"+m.ID, object{"body": "hey", "version": 1}, http.StatusOK, nil)
	seqOf(c.ada, "DELETE", "/messages/"+m.ID)
	c.ada.Rest("POST", "/chats/"+id+"/members", object{"user_id": c.eve.ID}, http.StatusCreated, nil)
	seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.eve.ID)
	page := get[events](c.bob, "/chats/"+id+"/events")
	fields := [][]string{
		{"chat.created", "id", "kind", "created_by"}, {"member.added", "user_id", "role", "by"}, {"member.added", "user_id", "role", "by"},
		{"message.created", "id", "body", "key", "reactions", "version"}, {"reaction.added", "message_id", "message_seq", "user_id", "emoji"},
		{"reaction.removed", "message_id", "message_seq", "user_id", "emoji"}, {"member.updated", "user_id", "role", "by"},
		{"chat.updated", "id", "topic"}, {"message.edited", "message_id", "message_seq", "body", "mentions", "version", "edited_at"},
		{"message.deleted", "message_id", "message_seq", "version", "deleted_at"}, {"member.added", "user_id", "role", "by"},
		{"member.removed", "user_id", "by"},
	}
	if len(page.Events) != len(fields) {
		t.Fatalf("%d events, want %d: %v", len(page.Events), len(fields), page.Events)
	}
	for i, e := range page.Events {
		equal(t, "seq", e.Seq, int64(i+1))
		equal(t, "op of event "+text(e.Seq), e.Op, fields[i][0])
		equal(t, "chat_id of event "+text(e.Seq), e.ChatID, id)
		equal(t, "has actor_id and ts", e.ActorID != "" && e.TS != "", true)
		if i > 0 && e.TS < page.Events[i-1].TS {
			t.Errorf("ts runs backwards at %d: %s after %s", e.Seq, e.TS, page.Events[i-1].TS)
		}
		has(t, e.Op, e.D, fields[i][1:]...)
	}
	equal(t, "last_seq", page.LastSeq, int64(len(fields)))
	equal(t, "key", page.Events[3].D["key"], any(key))
	if list, ok := page.Events[3].D["reactions"].([]any); !ok || len(list) > 0 {
		t.Errorf("reactions in an event: %v", page.Events[3].D["reactions"])
	}
	part := get[events](c.bob, "/chats/"+id+"/events?after_seq=4&limit=2").Events
	if len(part) != 2 || part[0].Seq != 5 {
		t.Errorf("after_seq=4&limit=2: %v", part)
	}
	equal(t, "events after the last", len(get[events](c.bob, "/chats/"+id+"/events?after_seq="+text(page.LastSeq)).Events), 0)
}
