package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// heard keeps the ops of the events that a node appends to chats.
type heard struct {
	mu  sync.Mutex
	ops []chat.Op
}

func (h *heard) Publish(events []chat.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		if !e.Personal {
			h.ops = append(h.ops, e.Op)
		}
	}
}

// during returns what was appended while f ran.
func (h *heard) during(f func()) []chat.Op {
	h.mu.Lock()
	before := len(h.ops)
	h.mu.Unlock()
	f()
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ops[before:])
}

// deed is one row of a table, tried by one person; do reports whether it was refused as
// rate_limited.
type deed struct {
	name string
	who  *person
	do   func() bool
}

// deeds returns the rows that may change something, each as everybody who can do more
// than another.
func (c *cast) deeds(t *testing.T, people map[string]*person) (deeds []deed) {
	routes, ops := matrix(), commandMatrix()
	for role, who := range people {
		if role == "anonymous" || role == "removed" {
			continue
		}
		for _, r := range who.n.server.routes() {
			if name := r.method + " " + r.path; r.method != "GET" && r.access.identified() {
				deeds = append(deeds, deed{name, who, func() bool { return c.ask(t, who, r, routes[name].body) == statusOf(chat.RateLimited) }})
			}
		}
		for _, row := range commands() {
			deeds = append(deeds, deed{row.op, who, func() bool { return c.command(t, who, row, ops[row.op].d) == chat.RateLimited }})
		}
	}
	return deeds
}

// TestEveryEventIsCharged tries every row of both tables. Whatever appends an event to
// a chat must draw from the person's limit of sends, and must be refused, without an
// event, when nothing is left of it.
func TestEveryEventIsCharged(t *testing.T) {
	n := newNode(t, nil)
	n.runHub()
	people, c := n.cast()
	c.public = true
	people["owner"] = c.owner
	try := func(a deed, l *limiter) (appended []chat.Op, limited bool) {
		n.server.rates.sends = nil
		c.owner.logIn()
		c.stage(t, people)
		if strings.HasPrefix(a.name, "DELETE /api/v1/messages/{id}/reactions") || a.name == "reaction.remove" {
			a.who.do("PUT", "/messages/"+c.messageID+"/reactions/👍", nil) // something to remove, where they may
		}
		n.server.rates.sends = l
		appended = n.heard.during(func() { limited = a.do() })
		return appended, limited
	}
	seen := map[chat.Op]bool{}
	for _, a := range c.deeds(t, people) {
		enough := newLimiter(1, time.Hour, 1000)
		appended, _ := try(a, enough)
		if len(appended) == 0 {
			continue
		}
		for _, op := range appended {
			seen[op] = true
		}
		if enough.full[a.who.id].IsZero() {
			t.Errorf("%s by %s appends %v and costs nothing", a.name, a.who.name, appended)
		}
		spent := newLimiter(1, time.Hour, 1)
		_ = spent.charge(a.who.id)
		if appended, limited := try(a, spent); !limited || len(appended) > 0 {
			t.Errorf("%s by %s with nothing left: refused is %v, appended %v", a.name, a.who.name, limited, appended)
		}
	}
	for _, op := range []chat.Op{chat.OpChatCreated, chat.OpChatUpdated, chat.OpMemberAdded, chat.OpMemberUpdated, chat.OpMemberRemoved,
		chat.OpMessageCreated, chat.OpMessageEdited, chat.OpMessageDeleted, chat.OpReactionAdded, chat.OpReactionRemoved} {
		if !seen[op] {
			t.Errorf("no row appended %s", op)
		}
	}
}

// Joining and leaving one chat without end makes few events, joins of other chats go
// on, and asking to join where one is a member is no join.
func TestTogglesOfAMembershipAreFew(t *testing.T) {
	n := newNode(t, nil)
	n.server.rates.joins = newLimiter(1, joinEvery, joinBurst)
	owner, stranger := n.person("owner"), n.person("stranger")
	chats := [2]string{}
	for i := range chats {
		chats[i] = owner.want(201, "POST", "/chats", object{"kind": "public", "name": fmt.Sprint("chat ", i)}).field("id")
	}
	join, me := "/chats/"+chats[0]+"/join", "/chats/"+chats[0]+"/members/"+stranger.id
	for range joinBurst {
		for range 10 {
			stranger.want(200, "POST", join, nil)
		}
		stranger.want(200, "DELETE", me, nil)
	}
	events := n.heard.during(func() {
		a := stranger.refused(chat.RateLimited, "POST", join, nil)
		if a.field("retry_after_ms") == "" || len(a.header.Get("Retry-After")) != len("600") {
			t.Errorf("does not tell when to come back: %s %v", a.raw, a.header)
		}
	})
	if len(events) > 0 {
		t.Errorf("a refused join appended %v", events)
	}
	stranger.want(200, "POST", "/chats/"+chats[1]+"/join", nil)
	stranger.want(200, "POST", "/chats/"+chats[1]+"/join", nil)
	owner.want(201, "POST", "/chats/"+chats[0]+"/members", object{"user_id": stranger.id})
	stranger.want(200, "POST", join, nil) // a member again, and limited
}

// A refused charge takes nothing, and a refund makes what it returns free again.
func TestMeterChargesWholeOrNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{usage: newUsage(0, nil), rates: rates{sends: newLimiter(1, time.Hour, 3), joins: newLimiter(1, time.Hour, 1)}}
		m := meter{s}
		charge := func(c chat.Cost) chat.Code { return chat.CodeOf(m.Charge(context.Background(), "ada", c)) }
		join := chat.Cost{Events: 1, Join: "room"}
		if charge(join) != "" || charge(join) != chat.RateLimited || charge(chat.Cost{Events: 3}) != chat.RateLimited {
			t.Error("the second join, or three events of two, passed")
		}
		if charge(chat.Cost{Events: 2}) != "" {
			t.Error("a refused join took an event")
		}
		m.Refund("ada", join)
		if charge(join) != "" || charge(join) != chat.RateLimited {
			t.Error("what was given back is not there, or is there twice")
		}
	})
}
