package server

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

// The tiers follow the pressure: up after two measurements that agree, down one at a
// time after five calm seconds.
func TestShedding(t *testing.T) {
	type span struct {
		pressure float64
		looks    int
		want     int // tier after them
	}
	const quiet = int(shedCalm/shedEvery) + 1
	for name, spans := range map[string][]span{
		"nothing":              {{0.2, 100, 0}},
		"one late look":        {{0, 3, 0}, {30, 1, 0}, {0, 3, 0}},
		"typing":               {{0.5, 1, 0}, {0.5, 1, 1}, {0.55, 50, 1}},
		"the lower of two":     {{1, 1, 0}, {0.7, 1, 2}},
		"everything":           {{1, 2, 3}, {2, 100, 3}},
		"step by step":         {{0.5, 2, 1}, {0.7, 2, 2}, {0.9, 2, 3}},
		"down, one at a time":  {{1, 2, 3}, {0, quiet, 2}, {0, quiet - 1, 1}, {0, quiet - 1, 0}, {0, 99, 0}},
		"not down on the edge": {{0.9, 2, 3}, {0.75, 100, 3}, {0.6, quiet, 2}},
		"not down for a blink": {{0.5, 2, 1}, {0, quiet - 2, 1}, {0.5, 1, 1}, {0, quiet - 1, 1}, {0, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var s shedding
			now := time.Unix(0, 0)
			for i, span := range spans {
				for range span.looks {
					now = now.Add(shedEvery)
					before := s.tier
					if changed := s.look(now, span.pressure); changed != (s.tier != before) {
						t.Fatalf("span %d: changed is %v from %d to %d", i, changed, before, s.tier)
					}
				}
				if s.tier != span.want {
					t.Errorf("after span %d: tier %d, want %d", i, s.tier, span.want)
				}
			}
		})
	}
}

// readable is a presence that knows everyone.
type readable struct{ Presence }

func (readable) Read(_ context.Context, _ string, userIDs []string) (users []chat.Presence, _ error) {
	for _, id := range userIDs {
		users = append(users, chat.Presence{UserID: id})
	}
	return users, nil
}

func (readable) Join(string, func([]chat.Presence)) Device { return still{} }

// still is a device that can only leave.
type still struct{ Device }

func (still) Leave() {}

// A node under pressure announces what it drops, drops it in order, and makes up for
// it when there is time again.
func TestDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var load atomic.Value
		load.Store(0.0)
		c, answers := lonely(t, nil, func(d *Deps) {
			d.Pressure = func() float64 { return load.Load().(float64) }
			d.Presence = readable{}
		})
		c.session, c.greeted = chat.Session{UserID: "ada"}, true
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		cursor := hub.Event{Op: hintCursor, Stream: "chat", Subject: "bob", Data: []byte("{}")}
		heard := func() bool { return len(c.server.hints.receipts.chats) > 0 }

		c.server.Passing(hub.Event{Op: hintTyping, Stream: "chat", Subject: "bob", Data: []byte("true")})
		if !c.server.hints.typing.types("chat", "bob") {
			t.Error("typing is not heard without load")
		}
		load.Store(0.5)
		pass(time.Second)
		c.server.Passing(hub.Event{Op: hintTyping, Stream: "chat", Subject: "eve", Data: []byte("true")})
		if c.server.hints.typing.types("chat", "eve") || c.server.Shedding() != shedTyping {
			t.Error("typing is heard under load")
		}
		if err := c.server.setTyping(t.Context(), "ada", "chat", true); err != nil {
			t.Errorf("typing.set under load: %v", err) // it would have asked a store that is not there
		}
		c.pushPresence([]chat.Presence{{UserID: "bob"}})
		load.Store(0.7)
		pass(time.Second)
		c.pushPresence([]chat.Presence{{UserID: "held"}})
		load.Store(1.0)
		pass(time.Second)
		c.server.Passing(cursor)
		pass(2 * time.Second)
		if !heard() {
			t.Error("a cursor was sent under full load")
		}
		load.Store(0.0)
		pass(20 * time.Second)
		if heard() || c.server.Shedding() != 0 {
			t.Error("a held cursor was not sent after the load")
		}
		c.socket.Close(closeRestart, "the end")
		got := <-answers
		at := 0
		for _, want := range []string{`{"dropping":["typing"]}`, `"user_id":"bob"`, `{"dropping":["typing","presence"]}`,
			`{"dropping":["typing","presence","cursors"]}`, `{"dropping":["typing","presence"]}`, `{"dropping":["typing"]}`, `"user_id":"held"`, `{"dropping":[]}`} {
			i := strings.Index(got[at:], want)
			if i < 0 {
				t.Fatalf("no %s after %d bytes of %q", want, at, got)
			}
			at += i
		}
		if strings.Count(got, `"user_id":"held"`) != 1 {
			t.Errorf("the client got %q", got)
		}
	})
}

// A client that is being welcomed gets nothing before hello, and then the tier in force.
func TestDegradedComesAfterHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t, sessions{}, func(d *Deps) { d.Presence = readable{} })
		c.session = chat.Session{ID: "s", UserID: "ada"}
		c.server.degrade(shedTyping, 0.5)
		c.server.degrade(shedPresence, 0.7)
		if !c.hello(t.Context(), c.session) {
			t.Fatal("not welcome")
		}
		c.socket.Close(closeRestart, "the end")
		got := <-answers
		hello, degraded := strings.Index(got, `"op":"hello"`), strings.Index(got, `"op":"degraded"`)
		if hello < 0 || degraded < hello || strings.Count(got, `"op":"degraded"`) != 1 || !strings.Contains(got, `["typing","presence"]`) {
			t.Errorf("the client got %q", got)
		}
	})
}
