package server_test

import (
	"net/http"
	"testing"

	"fechatter/conform/client"
)

// own returns the path of a person's own membership.
func own(p *client.Person, chatID string) string { return "/chats/" + chatID + "/members/" + p.ID }

// TestRequestIsAcceptedOnAllDevices: the push says so, and so does the next entry.
func TestRequestIsAcceptedOnAllDevices(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	b, stream := bob.Fresh(), bob.Stream("")
	stream.Want("ready")
	id := ada.Group(bob)
	if f := b.Want("chat.joined"); f.Field(t, "chat", "request") != true {
		t.Errorf("joined as %s", f.Raw)
	}
	var e struct{ Request, Muted bool }
	bob.Rest("POST", "/chats/"+id+"/accept", nil, http.StatusOK, &e)
	if e.Request {
		t.Error("accepted, and still a request")
	}
	for _, s := range []interface{ Want(string) client.Frame }{b, stream} {
		if f := s.Want("membership"); f.ChatID != id || f.Field(t, "request") != false || f.Field(t, "hidden") != false {
			t.Errorf("told %s", f.Raw)
		}
	}
	bob.Rest("PATCH", own(bob, id), map[string]any{"muted": true}, http.StatusOK, &e)
	if f := b.Want("membership"); f.Field(t, "muted") != true {
		t.Errorf("told %s", f.Raw)
	}
}

// TestHiddenChatComesBack: with its next message, to devices that have it and to those
// that do not, and without a hole.
func TestHiddenChatComesBack(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	before := ada.Say(id, "hello")
	knows := bob.Fresh()
	bob.Rest("PATCH", own(bob, id), map[string]any{"hidden": true}, http.StatusOK, nil)
	if f := knows.Want("membership"); f.Field(t, "hidden") != true {
		t.Errorf("told %s", f.Raw)
	}
	fresh, stream := bob.Fresh(), bob.Stream("")
	stream.Want("ready")
	if entries := fresh.Entries(); len(entries) != 0 {
		t.Errorf("a fresh start lists %v", entries)
	}
	holds := bob.Connect(map[string]any{"cursors": map[string]int64{id: before - 1}})
	holds.Want("ready")
	if e := holds.Entries()[id]; e == nil || e["hidden"] != true {
		t.Errorf("a client that holds it is told %v", e)
	}
	if seqs := holds.Seqs(id); len(seqs) != 1 || seqs[0] != before {
		t.Errorf("it missed %v", seqs)
	}
	// What is no message does not bring it back.
	ada.Rest("PATCH", "/chats/"+id, map[string]any{"name": "new"}, http.StatusOK, nil)
	knows.Want("chat.updated")
	fresh.OK("ping", map[string]any{})
	var last int64
	for range 5 {
		last = ada.Say(id, "again")
	}
	for _, s := range []*client.Socket{fresh} {
		f := s.Want("chat.joined")
		at := int64(f.Field(t, "chat", "last_seq").(float64))
		if f.Field(t, "chat", "hidden") != nil || at <= before+1 {
			t.Errorf("it comes back as %s", f.Raw)
		}
		for at < last {
			if next := s.Want("message.created"); next.Seq != at+1 {
				t.Fatalf("seq %d after %d", next.Seq, at)
			}
			at++
		}
	}
	if f := stream.Want("chat.joined"); f.Field(t, "chat", "id") != id {
		t.Errorf("the stream is told %s", f.Raw)
	}
	for _, s := range []*client.Socket{knows, holds} {
		for {
			f := s.Want("message.created")
			if f.Seq == last {
				break
			}
		}
	}
	for _, f := range fresh.Seen {
		if f.Op == "chat.updated" {
			t.Errorf("a client that does not have it got %s", f.Raw)
		}
	}
}

// TestShownAgain: a chat that its owner shows again is there at once.
func TestShownAgain(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	hide := func(hidden bool) {
		bob.Rest("PATCH", own(bob, id), map[string]any{"hidden": hidden}, http.StatusOK, nil)
	}
	hide(true)
	b := bob.Fresh()
	hide(false)
	if f := b.Want("chat.joined"); f.Field(t, "chat", "id") != id {
		t.Errorf("told %s", f.Raw)
	}
	hide(true)
	b.Want("membership")
	b = bob.Fresh()
	seq := int64(0)
	ada.Rest("DELETE", own(bob, id), nil, http.StatusOK, &struct{ Seq *int64 }{&seq})
	b.OK("ping", map[string]any{})
	if len(b.Entries()) != 0 {
		t.Errorf("listed %v", b.Entries())
	}
	ada.Rest("POST", "/chats/"+id+"/members", map[string]any{"user_id": bob.ID}, http.StatusCreated, nil)
	if f := b.Want("chat.joined"); f.Field(t, "chat", "id") != id || f.Field(t, "chat", "hidden") != nil {
		t.Errorf("added again, told %s", f.Raw)
	}
}

// TestBlockHoldsOnOtherNodes: also where every hint of it is lost.
func TestBlockHoldsOnOtherNodes(t *testing.T) {
	t.Parallel()
	a, b := startDeaf(t)
	ada, bob, eve := client.SignUp(t, a.url, "ada"), client.SignUp(t, a.url, "bob"), client.SignUp(t, a.url, "eve")
	id := ada.Group(bob, eve)
	there := ada.On(b.url).Fresh()
	ada.Rest("PUT", "/me/blocks/"+bob.ID, nil, http.StatusNoContent, nil)
	if f := there.Want("block.added"); f.Field(t, "user_id") != bob.ID {
		t.Errorf("told %s", f.Raw)
	}
	bobs, eves := bob.On(b.url).Fresh(), eve.On(b.url).Fresh()
	bobs.OK("typing.set", map[string]any{"chat_id": id, "typing": true})
	typingOf(t, eves, id, bob.ID)
	eves.OK("typing.set", map[string]any{"chat_id": id, "typing": true})
	typingOf(t, there, id, eve.ID)
	for _, f := range there.Seen {
		if f.Op == "typing" && len(f.Field(t, "user_ids").([]any)) > 1 {
			t.Errorf("typing of who is blocked: %s", f.Raw)
		}
	}
	there.OK("presence.watch", watch(bob, eve))
	if f := there.Seen[len(there.Seen)-1]; len(f.Field(t, "users").([]any)) != 1 {
		t.Errorf("presence of who is blocked: %s", f.Raw)
	}
	ada.Rest("DELETE", "/me/blocks/"+bob.ID, nil, http.StatusNoContent, nil)
	there.Want("block.removed")
	eves.OK("typing.set", map[string]any{"chat_id": id, "typing": false})
	bobs.OK("typing.set", map[string]any{"chat_id": id, "typing": true})
	typingOf(t, there, id, bob.ID)
}

// TestBlockEndsPresence: who is watched is not, from the block on.
func TestBlockEndsPresence(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	ada.Group(bob)
	a, b := ada.Fresh(), bob.Fresh()
	if f := a.OK("presence.watch", watch(bob)); stateIn(t, f, bob) != "online" { // he has not come yet
		sees(t, a, bob, "online")
	}
	ada.Rest("PUT", "/me/blocks/"+bob.ID, nil, http.StatusNoContent, nil)
	a.Want("block.added")
	told := len(a.Seen)
	b.OK("presence.set", map[string]any{"state": "dnd"})
	ada.Rest("DELETE", "/me/blocks/"+bob.ID, nil, http.StatusNoContent, nil)
	a.Want("block.removed")
	sees(t, a, bob, "dnd")
	for i, f := range a.Seen[told:] {
		if f.Op == "presence" {
			t.Errorf("frame %d after the block: %s", i, f.Raw)
		}
		if f.Op == "block.removed" {
			break
		}
	}
}

// TestDeletedChatIsLeft: by every member at once, on every node, whatever they do.
func TestDeletedChatIsLeft(t *testing.T) {
	t.Parallel()
	a, b := startDeaf(t)
	root := client.SignUp(t, a.url, "root")
	ada, bob := client.SignUp(t, a.url, "ada"), client.SignUp(t, a.url, "bob")
	id := ada.Group(bob)
	ada.Say(id, "hello")
	here, there, stream := ada.Fresh(), bob.On(b.url).Fresh(), bob.On(b.url).Stream("")
	stream.Want("ready")
	ada.Rest("DELETE", "/admin/chats/"+id, nil, http.StatusForbidden, nil)
	root.Rest("DELETE", "/admin/chats/"+id, nil, http.StatusNoContent, nil)
	ada.Rest("GET", "/chats/"+id, nil, http.StatusNotFound, nil)
	ada.Rest("GET", "/chats/"+id+"/messages", nil, http.StatusNotFound, nil)
	for _, s := range []interface{ Want(string) client.Frame }{here, there, stream} {
		ended := s.Want("chat.deleted")
		if left := s.Want("chat.left"); left.Field(t, "chat_id") != id || left.Field(t, "seq") != float64(ended.Seq) {
			t.Errorf("after %s came %s", ended.Raw, left.Raw)
		}
	}
	here.Refused("message.send", map[string]any{"chat_id": id, "key": "k", "body": "x"}, "not_found")
	if entries := bob.On(b.url).Fresh().Entries(); len(entries) != 0 {
		t.Errorf("listed %v", entries)
	}
	root.Rest("DELETE", "/admin/chats/"+id, nil, http.StatusNotFound, nil)
}
