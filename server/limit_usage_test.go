package server

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"fechatter/chat"
)

// usageBook is a store of usage that many nodes share, with a clock that may be wrong
// for them, and faults.
type usageBook struct {
	bytes map[string]int64
	day   int64
	ahead time.Duration
	fault error
	reads int
	adds  int
}

func (b *usageBook) now() chat.Time { return chat.TimeOf(time.Now().Add(b.ahead)) }

func (b *usageBook) Usage(_ context.Context, userID string) (chat.Usage, chat.Time, error) {
	b.reads++
	return chat.Usage{UserID: userID, Day: b.now().Day(), Bytes: b.of(b.now().Day())[userID]}, b.now(), b.fault
}

func (b *usageBook) of(day int64) map[string]int64 {
	if day != b.day {
		b.day, b.bytes = day, map[string]int64{}
	}
	return b.bytes
}

func (b *usageBook) AddUsage(_ context.Context, added []chat.Usage) (totals []chat.Usage, err error) {
	if b.fault != nil {
		return nil, b.fault
	}
	b.adds++
	for _, u := range added {
		b.of(u.Day)[u.UserID] += u.Bytes
		totals = append(totals, chat.Usage{UserID: u.UserID, Day: u.Day, Bytes: b.bytes[u.UserID]})
	}
	return totals, nil
}

// A day's bytes hold over nodes and restarts, cost the database one write in five
// seconds, and come back at midnight in UTC by the database's clock, as was told.
func TestBytesOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := &usageBook{ahead: 7 * time.Hour}
		time.Sleep(100 * time.Minute) // it is 08:40 there
		one, two := newUsage(1000, book), newUsage(1000, book)
		charge := func(u *usage, n int64) time.Duration { return problemWait(u.charge(t.Context(), "ada", n)) }
		for range 6 {
			if charge(one, 100) > 0 {
				t.Fatal("refused within the limit")
			}
		}
		if book.reads != 1 || book.adds != 0 {
			t.Errorf("%d reads and %d writes for six messages", book.reads, book.adds)
		}
		if err := errors.Join(one.flush(t.Context()), one.flush(t.Context())); err != nil || book.adds != 1 {
			t.Errorf("flush: %v, %d writes", err, book.adds)
		}
		if wait := charge(two, 401); wait != 15*time.Hour+20*time.Minute {
			t.Errorf("the other node asks for %s, want until midnight there", wait)
		}
		if charge(two, 400) > 0 {
			t.Error("the other node refuses the rest of the day's bytes")
		}
		if err := two.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		two.refund("ada", 400)
		if err := errors.Join(two.flush(t.Context()), one.flush(t.Context())); err != nil || charge(one, 400) > 0 {
			t.Errorf("what was given back is still counted: %v", err)
		}
		if err := one.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := newUsage(1000, book); charge(again, 1) == 0 {
			t.Error("a restart forgot what was stored")
		}
		time.Sleep(15*time.Hour + 20*time.Minute - time.Millisecond)
		if charge(one, 1) == 0 {
			t.Error("passed before midnight")
		}
		time.Sleep(time.Millisecond)
		if charge(one, 1000) > 0 || charge(one, 1) == 0 {
			t.Error("a new day does not begin at midnight, or begins without a limit")
		}
	})
}

// A node that knows a user learns what they store through another when it writes down.
func TestNodesLearnOfEachOthersBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := &usageBook{}
		one, two := newUsage(1000, book), newUsage(1000, book)
		for _, u := range []*usage{one, two, one} {
			if err := errors.Join(u.charge(t.Context(), "ada", 300), u.flush(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		if err := one.charge(t.Context(), "ada", 101); chat.CodeOf(err) != chat.RateLimited {
			t.Errorf("1,001 bytes of 1,000 over two nodes: %v", err)
		}
	})
}

// What a database that is away has not taken stays counted, and is written once it is
// back; who cannot be looked up is refused as unavailable.
func TestBytesWhileTheDatabaseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := &usageBook{}
		u := newUsage(1000, book)
		if err := u.charge(t.Context(), "ada", 600); err != nil {
			t.Fatal(err)
		}
		book.fault = chat.Errorf(chat.Unavailable, "away")
		for range 3 {
			if err := u.flush(t.Context()); chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("flush: %v", err)
			}
		}
		if chat.CodeOf(u.charge(t.Context(), "ada", 401)) != chat.RateLimited || chat.CodeOf(u.charge(t.Context(), "bob", 1)) != chat.Unavailable {
			t.Error("without the database more passes than with it")
		}
		book.fault = nil
		if err := u.flush(t.Context()); err != nil || book.bytes["ada"] != 600 {
			t.Errorf("afterwards: %v, %v", err, book.bytes)
		}
		time.Sleep(usageIdle)
		u.take()
		if len(u.users) != 0 {
			t.Errorf("remembers %v", slices.Collect(maps.Keys(u.users)))
		}
	})
}

// A user who has stored their day's bytes can store nothing more by any route or
// command; replays and reading go on, and so does everybody else.
func TestBytesOfADayOverAllRoutes(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.BytesPerDay = 20_000 })
	n.runHub()
	people, c := n.cast()
	c.public = true
	people["owner"] = c.owner
	c.stage(t, people)
	path := "/chats/" + c.chatID + "/messages"
	key := uuid.NewString()
	c.owner.want(201, "POST", path, object{"body": "first"}, "Idempotency-Key", key)
	long := strings.Repeat("x", 4000)
	for range 20 {
		c.owner.do("POST", path, object{"body": long}, "Idempotency-Key", uuid.NewString())
	}
	for c.owner.do("POST", path, object{"body": "x"}, "Idempotency-Key", uuid.NewString()).status == 201 { // to the last byte
	}
	for _, a := range c.deeds(t, map[string]*person{"owner": c.owner}) {
		appended := n.heard.during(func() { a.do() })
		if len(appended) > 0 {
			t.Errorf("%s appended %v", a.name, appended)
		}
		if a.who.do("GET", "/me", nil).status == 401 { // a row that ends the session
			c.owner.logIn()
		}
	}
	a := c.owner.refused(chat.RateLimited, "POST", path, object{"body": "x"}, "Idempotency-Key", uuid.NewString())
	if !strings.Contains(a.field("detail"), "today") || len(a.field("retry_after_ms")) < 3 {
		t.Errorf("refused with %s", a.raw)
	}
	c.owner.want(200, "POST", path, object{"body": "first"}, "Idempotency-Key", key)
	c.owner.want(200, "GET", path, nil)
	people["admin"].want(201, "POST", path, object{"body": long}, "Idempotency-Key", uuid.NewString())
	stats := n.server.LimitStats()
	if stats.Refused[limitBytes] == 0 || stats.Bytes < 20_000 {
		t.Errorf("metrics: %+v", stats)
	}
}

// What was refused for another reason has stored nothing.
func TestRefusedActsStoreNothing(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.BytesPerDay = 1_000_000 })
	ada := n.person("ada")
	id := ada.group()
	pending := func() int64 { return n.server.usage.users[ada.id].pending }
	before := pending()
	key := uuid.NewString()
	ada.want(201, "POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", key)
	stored := pending()
	if stored != before+801 {
		t.Errorf("a message of one byte counts %d", stored-before)
	}
	ada.want(200, "POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", key)
	ada.refused(chat.NotFound, "POST", "/chats/"+uuid.NewString()+"/messages", object{"body": "x"}, "Idempotency-Key", key)
	ada.refused(chat.BadRequest, "POST", "/chats/"+id+"/messages", object{"body": " "}, "Idempotency-Key", uuid.NewString())
	ada.refused(chat.KeyReused, "POST", "/chats/"+id+"/messages", object{"body": "y"}, "Idempotency-Key", key)
	ada.refused(chat.NotFound, "POST", "/chats/"+uuid.NewString()+"/join", nil)
	ada.want(200, "PATCH", "/chats/"+id, object{"name": "a group"}) // its name
	if got := pending(); got != stored {
		t.Errorf("what stored nothing counts %d", got-stored)
	}
}

// Each event is a delivery for each member: who owes deliveries waits, as long as is
// told, by any route; others do not.
func TestDeliveriesAreCounted(t *testing.T) {
	n := newNode(t, nil)
	ada, bob, eve := n.person("ada"), n.person("bob"), n.person("eve")
	small, large := ada.group(), ada.group(bob, eve)
	n.server.rates.deliveries = newLimiter(1, time.Hour, 5)
	path := "/chats/" + large + "/messages"
	m := ada.send(large, "three")
	ada.want(200, "PUT", "/messages/"+m.field("id")+"/reactions/👍", nil) // six of five: this goes through
	a := ada.refused(chat.RateLimited, "POST", path, object{"body": "x"}, "Idempotency-Key", uuid.NewString())
	if !anHour(a) {
		t.Errorf("Retry-After is %s", a.header.Get("Retry-After"))
	}
	for _, id := range []string{small, large} {
		ada.refused(chat.RateLimited, "POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", uuid.NewString())
		ada.refused(chat.RateLimited, "PATCH", "/chats/"+id, object{"topic": "x"})
	}
	ada.refused(chat.RateLimited, "DELETE", "/messages/"+m.field("id"), nil)
	bob.send(large, "not limited")
	if stats := n.server.LimitStats(); stats.Refused[limitDeliveries] != 6 || stats.Deliveries < 9 {
		t.Errorf("metrics: %+v", stats)
	}
}

// BenchmarkMeter is what the limits of events, deliveries and bytes add to a send.
func BenchmarkMeter(b *testing.B) {
	s := &Server{rates: newRates(Limits{SendsPerSecond: 1 << 40, SendBurst: 1 << 40, DeliveriesPerSecond: 1 << 40}, Quotas{}),
		usage: newUsage(1<<60, &usageBook{})}
	m, cost := meter{s}, chat.Cost{Events: 1, Bytes: 900}
	for b.Loop() {
		if err := m.Charge(b.Context(), "ada", cost); err != nil {
			b.Fatal(err)
		}
		m.Settle("ada", cost, 1000)
	}
}
