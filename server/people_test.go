package server

import (
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// TestPeopleAreCharged: making chats and adding members costs by the number of people,
// and what changes nothing is free.
func TestPeopleAreCharged(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Quotas.PeoplePerMinute, c.Quotas.PeopleBurst = 1, 4 })
	ann, bob, cat := n.person("ann"), n.person("bob"), n.person("cat")
	group := object{"kind": "group", "member_ids": []string{bob.id}}
	id := ann.want(201, "POST", "/chats", group, "Idempotency-Key", "k").field("id") // 2 are left
	for range 3 {
		ann.want(200, "POST", "/chats", group, "Idempotency-Key", "k")
		ann.want(200, "POST", "/chats/"+id+"/members", object{"user_id": bob.id})
	}
	ann.want(201, "POST", "/chats/"+id+"/members", object{"user_id": cat.id}) // 1
	a := ann.refused(chat.RateLimited, "POST", "/chats", group)
	if a.header.Get("Retry-After") == "" {
		t.Error("no word of when to come back")
	}
	ann.want(201, "POST", "/chats", object{"kind": "group"})
	ann.refused(chat.RateLimited, "POST", "/chats/"+id+"/members", object{"user_id": n.person("dan").id})
	bob.want(201, "POST", "/chats", group)
}

// TestPeopleComeBack: the bucket fills with time, and a number above the burst is not
// refused for ever.
func TestPeopleComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(60, time.Minute, 5)
		take := func(n int, want chat.Code) {
			t.Helper()
			if got := chat.CodeOf(l.move("ann", n)); got != want {
				t.Errorf("%d people: %q, want %q", n, got, want)
			}
		}
		take(9, "")
		take(1, chat.RateLimited)
		time.Sleep(2 * time.Second)
		take(3, chat.RateLimited)
		take(2, "")
		take(-1, "")
		take(1, "")
		take(1, chat.RateLimited)
		take(-100, "")
		take(5, "")
		take(1, chat.RateLimited)
	})
}
