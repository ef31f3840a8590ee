package server_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"fechatter/conform/client"
)

// TestDataTravels: what programs put beside a body, or instead of it, is stored and replayed
// like it, and gone with the message.
func TestDataTravels(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	a, b := ada.Fresh(), bob.Fresh()
	data := map[string]any{"type": "poll", "options": []any{"tea", "coffee"}, "deep": map[string]any{"n": 1.5}}
	send := map[string]any{"chat_id": id, "key": "k", "data": data}
	sent := a.OK("message.send", send)
	mid := sent.Field(t, "message_id").(string)
	same := func(what string, got any) {
		t.Helper()
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(data)
		if string(g) != string(w) {
			t.Errorf("%s: %s, want %s", what, g, w)
		}
	}
	f := b.Until("the message", func(f client.Frame) bool { return f.Op == "message.created" && f.Field(t, "id") == mid })
	same("live", f.Field(t, "data"))
	if f.Field(t, "body") != "" {
		t.Errorf("its body is %v", f.Field(t, "body"))
	}
	if again := a.OK("message.send", send); again.Field(t, "replayed") != true {
		t.Errorf("the same again is %s", again.Raw)
	}
	a.Refused("message.send", map[string]any{"chat_id": id, "key": "k", "data": map[string]any{"type": "vote"}}, "key_reused")
	var m struct{ Data map[string]any }
	bob.Rest("GET", "/messages/"+mid, nil, http.StatusOK, &m)
	same("read", m.Data)
	replayed := bob.Connect(map[string]any{"cursors": map[string]int64{id: f.Seq - 1}})
	r := replayed.Until("it again", func(f client.Frame) bool { return f.Op == "message.created" })
	same("replayed", r.Field(t, "data"))
	last := bob.Fresh().Entries()[id]["last_message"].(map[string]any)
	if summary, _ := json.Marshal(last["data"]); string(summary) != `{"type":"poll"}` {
		t.Errorf("in the list: %s", summary)
	}
	for what, d := range map[string]map[string]any{
		"neither":        {},
		"without a type": {"data": map[string]any{"x": 1}},
		"a list":         {"data": []any{1}, "body": "x"},
		"a blank body":   {"data": data, "body": " "},
	} {
		d["chat_id"], d["key"] = id, client.NewKey()
		if f := a.Call("message.send", d); f.Op != "error" {
			t.Errorf("%s: %s", what, f.Raw)
		}
	}
	large := map[string]any{"chat_id": id, "key": client.NewKey(), "body": "x", "data": map[string]any{"x": longText(9000)}}
	a.Refused("message.send", large, "too_large")
	ada.Rest("DELETE", "/messages/"+mid, nil, http.StatusOK, nil)
	var gone map[string]any
	bob.Rest("GET", "/messages/"+mid, nil, http.StatusOK, &gone)
	if gone["data"] != nil {
		t.Errorf("deleted, it still has %v", gone["data"])
	}
}

func longText(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

// TestSignals reach who is connected, on any node, and nobody else.
func TestSignals(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob, eve := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob"), client.SignUp(t, n.url, "eve")
	id := ada.Group(bob)
	a, b, e := ada.Fresh(), bob.Fresh(), eve.Fresh()
	stream := bob.Stream("")
	stream.Want("ready")
	isSignal := func(name string) func(client.Frame) bool {
		return func(f client.Frame) bool { return f.Op == "signal" && f.ChatID == id && f.Field(t, "name") == name }
	}
	a.OK("signal", map[string]any{"chat_id": id, "name": "cursor", "data": map[string]any{"x": 3}, "latest": true})
	f := b.Until("the signal", isSignal("cursor"))
	if f.Field(t, "user_id") != ada.ID || f.Field(t, "data", "x") != 3.0 || f.Seq != 0 {
		t.Errorf("it is %s", f.Raw)
	}
	stream.Want("signal")
	ada.Rest("POST", "/chats/"+id+"/signals", map[string]any{"name": "buzz"}, http.StatusNoContent, nil)
	b.Until("another", isSignal("buzz"))
	e.Refused("signal", map[string]any{"chat_id": id, "name": "x"}, "not_found")
	a.Refused("signal", map[string]any{"chat_id": id, "name": ""}, "bad_request")
	a.Refused("signal", map[string]any{"chat_id": id, "name": "x", "data": []int{1}}, "bad_request")
	a.Refused("signal", map[string]any{"chat_id": id, "name": "x", "data": map[string]any{"x": longText(9000)}}, "too_large")

	bob.Rest("PUT", "/me/blocks/"+ada.ID, nil, http.StatusNoContent, nil)
	b.Want("block.added")
	a.OK("signal", map[string]any{"chat_id": id, "name": "unwanted"})
	a.OK("message.send", map[string]any{"chat_id": id, "key": client.NewKey(), "body": "after it"})
	b.Until("the message", func(f client.Frame) bool {
		if isSignal("unwanted")(f) {
			t.Error("a signal of somebody who is blocked")
		}
		return f.Op == "message.created"
	})
	var events struct{ Events []struct{ Op string } }
	ada.Rest("GET", "/chats/"+id+"/events?after_seq=0", nil, http.StatusOK, &events)
	for _, e := range events.Events {
		if e.Op == "signal" {
			t.Error("a signal is in the log")
		}
	}
}
