package conform

import (
	"net/http"
	"sync/atomic"

	"fechatter/conform/client"
)

// §3, the problems.

func anonymous(c *cast) *client.Person {
	p := c.ada.As(c.t, "")
	p.Token = ""
	return p
}

func unauthenticated(t *T, c *cast) {
	nobody := anonymous(c)
	for _, r := range [][2]string{
		{"GET", "/me"}, {"PATCH", "/me"}, {"PUT", "/me/password"}, {"GET", "/sessions"}, {"DELETE", "/sessions/current"},
		{"GET", "/users"}, {"GET", "/users/" + c.ada.ID}, {"GET", "/chats"}, {"POST", "/chats"}, {"GET", "/chats/public"},
		{"GET", "/chats/x"}, {"POST", "/chats/x/messages"}, {"GET", "/messages/x"}, {"DELETE", "/messages/x"}, {"GET", "/events"},
	} {
		var body any
		if r[0] != "GET" && r[0] != "DELETE" {
			body = object{}
		}
		a := nobody.Do(r[0], r[1], body)
		isProblem(t, r[0]+" "+r[1]+" of nobody", a, "unauthenticated", http.StatusUnauthorized)
		equal(t, r[1]+": WWW-Authenticate", a.Header.Get("WWW-Authenticate"), "Bearer")
	}
	refused(t, nobody, "unauthenticated", "GET", "/me", nil, "Authorization", "Bearer nonsense")
	refused(t, nobody, "unauthenticated", "GET", "/me", nil, "Cookie", "fechatter_session=nonsense")
	for _, query := range []string{"token", "access_token", "authorization"} {
		refused(t, nobody, "unauthenticated", "GET", "/me?"+query+"="+c.ada.Token, nil)
	}
}

func methodNotAllowed(t *T, c *cast) {
	for _, path := range []string{"/chats", "/users", "/me/password", "/sessions"} {
		a := c.ada.Do("DELETE", path, nil)
		equal(t, "status of DELETE "+path, a.Status, http.StatusMethodNotAllowed)
		equal(t, "Content-Type of DELETE "+path, a.Header.Get("Content-Type"), "application/problem+json")
		if a.Header.Get("Allow") == "" {
			t.Errorf("DELETE %s: no Allow header", path)
		}
	}
}

func mediaType(t *T, c *cast) {
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "application/xml"} {
		a := c.ada.Do("POST", "/chats", object{"kind": "group"}, "Content-Type", kind)
		equal(t, "status of "+kind, a.Status, http.StatusUnsupportedMediaType)
		equal(t, "Content-Type of the answer", a.Header.Get("Content-Type"), "application/problem+json")
	}
	c.ada.Rest("PATCH", "/me", object{"status_text": "here"}, http.StatusOK, nil, "Content-Type", "application/json; charset=utf-8")
}

func unknownPath(t *T, c *cast) {
	for _, path := range []string{"/nothing", "/chats/x/y/z", "/chats/" + client.NewKey(), "/messages/" + client.NewKey(), "/users/x"} {
		refused(t, c.ada, "not_found", "GET", path, nil)
	}
}

func tooLarge(t *T, c *cast) {
	big := make([]byte, 2<<20)
	for i := range big {
		big[i] = ' '
	}
	copy(big, `{"kind":"group"}`)
	refused(t, c.ada, "too_large", "POST", "/chats", big)
}

// rateLimited sends more at once than a user may, again if a busy machine was too slow
// for that.
func rateLimited(t *T, c *cast) {
	l := c.limits()
	if l.SendsPerSecond == 0 || l.SendBurst > 200 {
		t.Skipf("sends_per_second is %d and send_burst %d", l.SendsPerSecond, l.SendBurst)
	}
	id := c.eve.Group()
	key := client.NewKey()
	first := c.eve.Ask("POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", key)
	var limited, replayed atomic.Int64
	send := func(int) {
		a := c.eve.Do("POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", client.NewKey())
		if a.Status == http.StatusCreated {
			return
		}
		p := isProblem(t, "one send too many", a, "rate_limited", http.StatusTooManyRequests)
		if limited.Add(1); p.RetryAfterMS <= 0 || a.Header.Get("Retry-After") != text((p.RetryAfterMS+999)/1000) {
			t.Errorf("retry_after_ms %d and Retry-After %q", p.RetryAfterMS, a.Header.Get("Retry-After"))
		}
		again := c.eve.Do("POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", key)
		if again.Status == http.StatusOK {
			replayed.Add(1)
		}
	}
	for rounds := 0; limited.Load() == 0; rounds++ {
		if rounds == 10 {
			t.Skipf("%d sends at once were never too many", 3*l.SendBurst)
		}
		t.together(3*l.SendBurst, send)
	}
	equal(t, "first", first.Status, http.StatusCreated)
	equal(t, "replays while limited", replayed.Load(), limited.Load())
}

// notLeaked asks as somebody who must not learn that the chat exists.
func notLeaked(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	m := say(c.ada, id, "between us").ID
	key := []string{"Idempotency-Key", client.NewKey()}
	for _, r := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/chats/" + id, nil}, {"PATCH", "/chats/" + id, object{"name": "x"}}, {"POST", "/chats/" + id + "/join", nil},
		{"GET", "/chats/" + id + "/members", nil}, {"POST", "/chats/" + id + "/members", object{"user_id": c.eve.ID}},
		{"PATCH", "/chats/" + id + "/members/" + c.bob.ID, object{"role": "admin"}},
		{"DELETE", "/chats/" + id + "/members/" + c.bob.ID, nil},
		{"GET", "/chats/" + id + "/messages", nil}, {"POST", "/chats/" + id + "/messages", object{"body": "x"}},
		{"GET", "/messages/" + m, nil}, {"PATCH", "/messages/" + m, object{"body": "x", "version": 1}}, {"DELETE", "/messages/" + m, nil},
		{"GET", "/messages/" + m + "/reactions/👍", nil}, {"PUT", "/messages/" + m + "/reactions/👍", nil},
		{"DELETE", "/messages/" + m + "/reactions/👍", nil}, {"PUT", "/chats/" + id + "/cursor", object{"read_seq": 1}},
		{"GET", "/chats/" + id + "/cursors", nil}, {"GET", "/chats/" + id + "/events", nil},
	} {
		refused(t, c.eve, "not_found", r.method, r.path, r.body, key...)
	}
	s := c.eve.Fresh()
	s.Refused("message.send", object{"chat_id": id, "key": "k", "body": "x"}, "not_found")
	s.Refused("message.edit", object{"message_id": m, "body": "x", "version": 1}, "not_found")
	s.Refused("message.delete", object{"message_id": m}, "not_found")
	s.Refused("reaction.add", object{"message_id": m, "emoji": "👍"}, "not_found")
	s.Refused("cursor.set", object{"chat_id": id, "read_seq": 1}, "not_found")
}

// socketProblem: a WebSocket error carries the same object as REST.
func socketProblem(t *T, c *cast) {
	s := c.ada.Fresh()
	f := s.Ask("message.send", object{"chat_id": client.NewKey(), "key": "k", "body": "x"})
	var raw object
	var p problem
	decode(t, f.D, &raw)
	decode(t, f.D, &p)
	has(t, f.Raw, raw, "type", "title", "status", "detail", "code")
	equal(t, "op", f.Op, "error")
	equal(t, "code", p.Code, "not_found")
	equal(t, "status", p.Status, http.StatusNotFound)
}
