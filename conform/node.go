package conform

import (
	"net/http"
	"slices"
	"sync/atomic"

	"fechatter/conform/client"
)

// §2, between two nodes of one deployment.

func there(c *cast, p *client.Person) *client.Person { return p.On(c.run.other) }

func nodesDeliver(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	a, b := c.ada.Fresh(), there(c, c.bob).Fresh()
	equal(t, "epoch", a.Seen[0].Field(t, "epoch"), b.Seen[0].Field(t, "epoch"))
	for _, way := range []struct {
		from *client.Person
		to   *client.Socket
	}{{c.ada, b}, {there(c, c.bob), a}} {
		within(t, "a message on the other node", soon, func() {
			seq := way.from.Say(id, "over there")
			way.to.Until("the message", func(f client.Frame) bool { return f.ChatID == id && f.Seq == seq })
		})
	}
}

func nodesOnce(t *T, c *cast) {
	id := c.ada.Group()
	for range 5 {
		key := client.NewKey()
		created := atomic.Int64{}
		ids := make([]string, 8)
		t.together(len(ids), func(i int) {
			p := c.ada
			if i%2 == 1 {
				p = there(c, p)
			}
			a := p.Ask("POST", "/chats/"+id+"/messages", object{"body": "one"}, "Idempotency-Key", key)
			var m message
			a.Read(t, &m)
			if ids[i] = m.ID; a.Status == http.StatusCreated {
				created.Add(1)
			}
		})
		equal(t, "answers 201", created.Load(), 1)
		equal(t, "different ids", len(slices.Compact(ids)), 1)
	}
	equal(t, "messages", len(get[history](c.ada, "/chats/"+id+"/messages").Messages), 5)
}

func nodesResume(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	first := c.bob.Fresh()
	epoch := first.Seen[0].Field(t, "epoch")
	held := c.ada.Say(id, "held")
	first.Until("the live event", func(f client.Frame) bool { return f.ChatID == id && f.Seq == held })
	_ = first.WS.CloseNow()
	want := []int64{c.ada.Say(id, "one"), there(c, c.ada).Say(id, "two"), c.ada.Say(id, "three")}
	s := there(c, c.bob).Connect(object{"epoch": epoch, "cursors": object{id: held}})
	s.Want("ready")
	equalLists(t, "replayed on the other node", s.Seqs(id), want)
}

func nodesOrder(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	all := []*client.Socket{c.ada.Fresh(), there(c, c.bob).Fresh()}
	t.together(2, func(i int) {
		p := c.ada
		if i == 1 {
			p = there(c, c.bob)
		}
		for range 8 {
			p.Say(id, "x")
		}
	})
	want := []int64{}
	for i := range int64(16) {
		want = append(want, 4+i)
	}
	for i, s := range all {
		for range want {
			s.Until("every message", func(f client.Frame) bool { return f.ChatID == id && f.Op == "message.created" })
		}
		equalLists(t, []string{"on the first node", "on the second"}[i], s.Seqs(id), want)
	}
}

func nodesRevoke(t *T, c *cast) {
	phone := c.bob.As(t, c.bob.Login("phone"))
	s := there(c, phone).Fresh()
	id, _ := s.Seen[0].Field(t, "session_id").(string)
	within(t, "closing on the other node", soon, func() {
		c.bob.Rest("DELETE", "/sessions/"+id, nil, http.StatusNoContent, nil)
		s.Closes(4500)
	})
	refused(t, there(c, phone), "unauthenticated", "GET", "/me", nil)
}

func nodesJoin(t *T, c *cast) {
	s := there(c, c.bob).Fresh()
	id := c.ada.Group()
	within(t, "chat.joined on the other node", soon, func() {
		c.ada.Rest("POST", "/chats/"+id+"/members", object{"user_id": c.bob.ID}, http.StatusCreated, nil)
		s.Until("chat.joined", func(f client.Frame) bool { return f.Op == "chat.joined" && f.Field(t, "chat", "id") == id })
	})
	seq := c.ada.Say(id, "welcome")
	s.Until("the message", func(f client.Frame) bool { return f.ChatID == id && f.Seq == seq })
}

// nodesRemove removes a member in the middle of sends on either node.
func nodesRemove(t *T, c *cast) {
	id := c.ada.Group(c.bob, c.eve)
	s, witness := there(c, c.bob).Fresh(), there(c, c.eve).Fresh()
	var removal, last int64
	t.together(3, func(i int) {
		switch i {
		case 0:
			for range 8 {
				c.ada.Say(id, "here")
			}
		case 1:
			for range 8 {
				there(c, c.eve).Say(id, "there")
			}
		case 2:
			witness.Until("a message", func(f client.Frame) bool { return f.ChatID == id })
			removal = seqOf(c.ada, "DELETE", "/chats/"+id+"/members/"+c.bob.ID)
		}
	})
	last = c.ada.Say(id, "after")
	witness.Until("the last message", func(f client.Frame) bool { return f.ChatID == id && f.Seq == last })
	s.Until("chat.left", func(f client.Frame) bool { return f.Op == "chat.left" && f.Field(t, "chat_id") == id })
	s.OK("ping", object{})
	want := []int64{}
	for seq := int64(5); seq <= removal; seq++ {
		want = append(want, seq)
	}
	equalLists(t, "what the removed member saw", s.Seqs(id), want)
}

// nodesTell looks at what is shown and forgotten: who is here, who is typing.
func nodesTell(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	a, b := c.ada.Fresh(), there(c, c.bob).Fresh()
	if f := a.Ask("presence.watch", object{"user_ids": []string{c.bob.ID}}); f.Op == "error" {
		t.Skipf("not served")
	}
	b.OK("typing.set", object{"chat_id": id, "typing": true})
	a.Until("bob typing", func(f client.Frame) bool { return f.Op == "typing" && f.ChatID == id })
	b.OK("presence.set", object{"state": "dnd"})
	a.Until("bob's presence", func(f client.Frame) bool { return stateIn(t, f, c.bob.ID) == "dnd" })
	b.OK("presence.set", object{"state": "online"})
	a.Until("bob's presence", func(f client.Frame) bool { return stateIn(t, f, c.bob.ID) == "online" })
}
