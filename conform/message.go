package conform

import (
	"net/http"
	"slices"
	"time"

	"fechatter/conform/client"
)

// §4, messages.

func send(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	m := say(c.ada, id, "hello")
	equal(t, "chat, sender and version", m.ChatID+m.SenderID+text(m.Version), id+c.ada.ID+"1")
	var raw object
	c.bob.Rest("GET", "/messages/"+m.ID, nil, http.StatusOK, &raw)
	has(t, "a message", raw, "id", "chat_id", "seq", "sender_id", "body", "mentions", "reactions", "version", "created_at")
	var reply message
	path := "/chats/" + id + "/messages"
	c.bob.Rest("POST", path, object{"body": "and you", "reply_to": m.ID}, http.StatusCreated, &reply, "Idempotency-Key", client.NewKey())
	equal(t, "reply_to", reply.ReplyTo, m.ID)
	elsewhere := say(c.ada, c.ada.Group(c.bob), "elsewhere")
	for _, to := range []string{elsewhere.ID, client.NewKey()} {
		a := c.bob.Ask("POST", path, object{"body": "x", "reply_to": to}, "Idempotency-Key", client.NewKey())
		if a.Status != http.StatusBadRequest && a.Status != http.StatusNotFound {
			t.Errorf("a reply to a message of another chat: %d %.300s", a.Status, a.Body)
		}
	}
}

func edit(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	s := c.bob.Fresh()
	m := say(c.ada, id, "frist")
	path := "/messages/" + m.ID
	var edited message
	c.ada.Rest("PATCH", path, object{"body": "first", "version": 1}, http.StatusOK, &edited)
	equal(t, "version", edited.Version, 2)
	equal(t, "has edited_at", edited.EditedAt != "", true)
	event := s.Until("message.edited", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.edited" })
	for name, want := range map[string]any{"message_id": m.ID, "message_seq": float64(m.Seq), "body": "first", "version": 2.0} {
		equal(t, name+" in the event", event.Field(t, name), want)
	}
	late := refused(t, c.ada, "conflict", "PATCH", path, object{"body": "third", "version": 1})
	if late.Message == nil || late.Message.Body != "first" {
		t.Errorf("the conflict lacks the message: %v", late)
	}
	c.ada.Rest("PATCH", path, object{"body": "first", "version": 1}, http.StatusOK, &edited)
	equal(t, "version after the same edit again", edited.Version, 2)
	refused(t, c.bob, "forbidden", "PATCH", path, object{"body": "mine", "version": 2})
	refused(t, c.ada, "bad_request", "PATCH", path, object{"body": " ", "version": 2})
	refused(t, c.ada, "bad_request", "PATCH", path, object{"body": "x"})
	first := get[events](c.bob, "/chats/"+id+"/events?after_seq="+text(m.Seq-1)+"&limit=1").Events[0]
	equal(t, "text of the replayed message.created", first.D["body"], any("first"))
}

func deletion(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	s := c.bob.Fresh()
	m := say(c.ada, id, "a secret")
	refused(t, c.bob, "forbidden", "DELETE", "/messages/"+m.ID, nil)
	seq := seqOf(c.ada, "DELETE", "/messages/"+m.ID)
	equal(t, "seq", seq, m.Seq+1)
	equal(t, "seq of deleting again", seqOf(c.ada, "DELETE", "/messages/"+m.ID), seq)
	event := s.Until("message.deleted", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.deleted" })
	equal(t, "seq of the event", event.Seq, seq)
	refused(t, c.ada, "conflict", "PATCH", "/messages/"+m.ID, object{"body": "x", "version": 2})
	page := get[history](c.bob, "/chats/"+id+"/messages")
	if len(page.Messages) != 1 || page.Messages[0].Body != "" || page.Messages[0].DeletedAt == "" || page.Messages[0].Seq != m.Seq {
		t.Errorf("a deleted message does not keep its place with an empty body: %v", page.Messages)
	}
	for _, e := range get[events](c.bob, "/chats/"+id+"/events").Events {
		if e.D["body"] == "a secret" {
			t.Errorf("the deleted text is in the log, at %d", e.Seq)
		}
	}
}

func commands(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	a, b := c.ada.Fresh(), c.bob.Fresh()
	var s sent
	decode(t, a.OK("message.send", object{"chat_id": id, "key": "one", "body": "hello"}).D, &s)
	created := b.Until("message.created", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.created" })
	equal(t, "key in the event", created.Field(t, "key"), any("one"))
	equal(t, "seq of the event", created.Seq, s.Seq)
	message := object{"message_id": s.MessageID}
	with := func(more object) object {
		more["message_id"] = s.MessageID
		return more
	}
	equal(t, "seq of reaction.add", b.OK("reaction.add", with(object{"emoji": "👍"})).Field(t, "seq"), any(float64(s.Seq+1)))
	equal(t, "seq of reaction.add again", b.OK("reaction.add", with(object{"emoji": "👍"})).Field(t, "seq"), nil)
	equal(t, "seq of reaction.remove", b.OK("reaction.remove", with(object{"emoji": "👍"})).Field(t, "seq"), any(float64(s.Seq+2)))
	edited := a.OK("message.edit", with(object{"body": "hello all", "version": 1}))
	equal(t, "seq of message.edit", edited.Field(t, "seq"), any(float64(s.Seq+3)))
	equal(t, "version", edited.Field(t, "version"), any(2.0))
	b.Refused("message.edit", with(object{"body": "mine", "version": 2}), "forbidden")
	a.Refused("message.edit", with(object{"body": "late", "version": 1}), "conflict")
	b.Refused("message.delete", message, "forbidden")
	equal(t, "seq of message.delete", a.OK("message.delete", message).Field(t, "seq"), any(float64(s.Seq+4)))
	cursor := b.OK("cursor.set", object{"chat_id": id, "read_seq": s.Seq})
	equal(t, "cursor", cursor.Field(t, "read_seq"), any(float64(s.Seq)))
}

// inOrder sends many commands at once, and again if that was too many.
func inOrder(t *T, c *cast) {
	count := 5
	if l := c.limits(); l.SendsPerSecond > 0 {
		count = min(count, l.SendBurst)
	}
	id := c.ada.Group()
	s := c.ada.Fresh()
	for tries := 1; ; tries++ {
		seqs := sayAtOnce(t, s, id, count)
		if len(seqs) == count {
			if !slices.IsSorted(seqs) {
				t.Errorf("seqs of messages, in the order sent: %v", seqs)
			}
			return
		}
		if tries == 6 {
			t.Fatalf("%d sends at once were refused %d times", count, tries)
		}
		wait(t, time.Duration(tries)*time.Second) // for the tokens of all
	}
}

// sayAtOnce sends without waiting for answers, and returns the seqs of what was accepted, in the
// order sent. A refusal may overtake the answers to sends that are being stored.
func sayAtOnce(t *T, s *client.Socket, chatID string, count int) (seqs []float64) {
	keys := []string{}
	for range count {
		key := client.NewKey()
		keys = append(keys, key)
		s.Say(key, "message.send", object{"chat_id": chatID, "key": key, "body": "x"})
	}
	answered := map[string]float64{}
	for range keys {
		f := s.Until("the answers", func(f client.Frame) bool { return f.Re != nil && slices.Contains(keys, *f.Re) })
		if seq, ok := f.Field(t, "seq").(float64); ok {
			answered[*f.Re] = seq
		}
	}
	for _, key := range keys {
		if seq, ok := answered[key]; ok {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}
