package conform

import (
	"net/http"
	"slices"
	"strconv"

	"fechatter/conform/client"
)

// §5, resume.

func epochOf(c *cast) string {
	return get[history](c.ada, "/chats/"+c.ada.Group()+"/messages").Epoch
}

func resumeOrder(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	held := entryOf(c.bob, id).LastSeq
	c.ada.Say(id, "missed")
	s := c.bob.Connect(object{"cursors": object{id: held}})
	ready := s.Want("ready")
	ops := []string{}
	for _, f := range s.Seen {
		if (f.ChatID == "" || f.ChatID == id) && (len(ops) == 0 || ops[len(ops)-1] != f.Op) {
			ops = append(ops, f.Op)
		}
	}
	equalLists(t, "frames", ops, []string{"hello", "chats", "message.created", "ready"})
	equal(t, "re of ready", ready.Re != nil && *ready.Re == "r", true)
	equal(t, "epoch of ready", ready.Field(t, "epoch"), any(epochOf(c)))
}

func resumeLossless(t *T, c *cast) {
	id, quiet := c.ada.Group(c.bob), c.ada.Group(c.bob)
	first := c.bob.Connect(object{})
	epoch := first.Want("ready").Field(t, "epoch")
	held := c.ada.Say(id, "held")
	first.Until("the live event", func(f client.Frame) bool { return f.ChatID == id && f.Seq == held })
	_ = first.WS.CloseNow()
	want := []int64{}
	for range 12 {
		want = append(want, c.ada.Say(id, "missed"))
	}
	s := c.bob.Connect(object{"epoch": epoch, "cursors": object{id: held, quiet: 3, client.NewKey(): 7}})
	s.Want("ready")
	e := s.Entries()[id]
	equal(t, "last_seq of the entry", e["last_seq"], any(float64(want[len(want)-1])))
	equal(t, "unread of the entry", e["unread"], any(13.0))
	want = append(want, c.ada.Say(id, "live"))
	s.Until("the live event", func(f client.Frame) bool { return f.ChatID == id && f.Seq == want[len(want)-1] })
	equalLists(t, "replayed and live", s.Seqs(id), want)
	equal(t, "events of the quiet chat", len(s.Seqs(quiet)), 0)
}

func resumeResets(t *T, c *cast) {
	l := c.limits()
	ahead, rejoined, gone, fine := c.ada.Group(c.bob), c.ada.Group(c.bob), c.ada.Group(c.bob), c.ada.Group(c.bob)
	remove := func(id string) { seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.bob.ID) }
	remove(gone)
	remove(rejoined)
	c.ada.Rest("POST", "/chats/"+rejoined+"/members", object{"user_id": c.bob.ID}, http.StatusCreated, nil)
	cursors := object{ahead: 99, rejoined: 3, gone: 3, fine: 3}
	want := map[string]string{ahead: "ahead", rejoined: "rejoined"}
	if l.ResumeWindow <= 1000 {
		far := c.ada.Group(c.bob)
		t.together(8, func(i int) { // changes of a topic count towards no limit
			for n := i; int64(n) <= l.ResumeWindow; n += 8 {
				c.ada.Rest("PATCH", "/chats/"+far, object{"topic": strconv.Itoa(n)}, http.StatusOK, nil)
			}
		})
		cursors[far], want[far] = 3, "too_far"
	}
	s := c.bob.Connect(object{"cursors": cursors})
	s.Want("ready")
	got := resetsOf(t, s, cursors)
	for id, reason := range want {
		equal(t, "reason", got[id], reason)
	}
	equal(t, "resets", len(got), len(want))
	if _, there := s.Entries()[gone]; there {
		t.Errorf("a chat that bob left is among the chats")
	}
	for id := range want {
		seq := c.ada.Say(id, "live")
		f := s.Until("the event after a reset", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.created" })
		equal(t, "seq of the event after a reset", f.Seq, seq)
	}
	other := c.bob.Connect(object{"epoch": "another history", "cursors": object{fine: 3}})
	other.Want("ready")
	equal(t, "reason with another epoch", resetsOf(t, other, cursors)[fine], "epoch")
}

// resetsOf returns the reasons of resets by chat, for the chats in cursors, and checks
// their seqs.
func resetsOf(t *T, s *client.Socket, cursors object) map[string]string {
	got := map[string]string{}
	for _, f := range s.Seen {
		if _, asked := cursors[f.ChatID]; f.Op == "reset" && asked {
			got[f.ChatID], _ = f.Field(t, "reason").(string)
			equal(t, "seq of a reset", any(float64(f.Seq)), s.Entries()[f.ChatID]["last_seq"])
		}
	}
	return got
}

func resumeRefused(_ *T, c *cast) {
	s := c.ada.Dial()
	s.Refused("resume", object{"cursors": object{"x": -1}}, "bad_request")
	s.Refused("resume", object{"cursors": object{}, "token": "x"}, "bad_request")
	s.Refused("resume", object{"cursors": []int{1}}, "bad_request")
	s.Say("r", "resume", object{})
	s.Want("ready")
}

// noDoubles comes back in the middle of sends: replay and live events together have no
// hole and nothing twice.
func noDoubles(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	want := []int64{}
	var s *client.Socket
	t.together(2, func(i int) {
		if i == 0 {
			for range 12 {
				want = append(want, c.ada.Say(id, "x"))
			}
			return
		}
		s = c.bob.Connect(object{"cursors": object{id: 3}})
		s.Want("ready")
	})
	for !slices.Contains(s.Seqs(id), want[len(want)-1]) {
		s.Until("the last message", func(f client.Frame) bool { return f.ChatID == id })
	}
	equalLists(t, "replayed and live", s.Seqs(id), want)
}
