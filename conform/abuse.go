package conform

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"fechatter/conform/client"
)

// §8, what those meet who try again and again.

// guessing tries passwords of one account, which waits then for whoever guesses, but not
// for its owner. Nodes count by themselves, so that three may take as many guesses each.
func guessing(t *T, c *cast) {
	p, stranger := c.newcomer("guessed"), anonymous(c)
	logIn := func(by, as *client.Person, password string) client.Answer {
		return by.Do("POST", "/sessions", object{"username": as.Name, "password": password})
	}
	var last client.Answer
	for range 35 {
		if last = logIn(stranger, p, "wrong horse"); last.Status != http.StatusUnauthorized {
			break
		}
	}
	began := time.Now()
	right := logIn(stranger, p, client.Password)
	soon := time.Since(began) < time.Second
	if logIn(stranger, c.bob, client.Password).Status == http.StatusTooManyRequests {
		t.Skipf("this address may not log in so often")
	}
	told := isProblem(t, "the last of many guesses", last, "rate_limited", http.StatusTooManyRequests)
	if told.RetryAfterMS < 1000 || last.Header.Get("Retry-After") == "" {
		t.Errorf("a guess waits for %d ms, Retry-After %q", told.RetryAfterMS, last.Header.Get("Retry-After"))
	}
	if soon && told.RetryAfterMS > 2000 {
		isProblem(t, "the right password meanwhile", right, "rate_limited", http.StatusTooManyRequests)
	}
	p.Rest("GET", "/me", nil, http.StatusOK, nil)
	equal(t, "log-in of a device that has a session", logIn(p, p, client.Password).Status, http.StatusCreated)
}

// toggling joins and leaves a chat until that is refused for minutes, on each of a few nodes.
func toggling(t *T, c *cast) {
	if c.limits().SendsPerSecond == 0 {
		t.Skipf("sends_per_second is 0")
	}
	var chat entry
	c.ada.Rest("POST", "/chats", object{"kind": "public", "name": c.name}, http.StatusCreated, &chat)
	for joins := 0; joins < 20; {
		a := c.eve.Do("POST", "/chats/"+chat.ID+"/join", nil)
		switch wait, _ := strconv.Atoi(a.Header.Get("Retry-After")); {
		case a.Status == http.StatusOK:
			joins++
			seqOf(c.eve, "DELETE", "/chats/"+chat.ID+"/members/"+c.eve.ID)
		case wait > 60:
			isProblem(t, "to join again and again", a, "rate_limited", http.StatusTooManyRequests)
			return
		case a.Status == http.StatusTooManyRequests && wait > 0: // for all that eve did of late
			t.pause(time.Duration(wait) * time.Second)
		default:
			t.Fatalf("to join: %d, Retry-After %d s: %.300s", a.Status, wait, a.Body)
		}
	}
	t.Errorf("somebody has joined a chat 20 times")
}

// pause waits, unless the check's time ends first.
func (t *T) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatalf("%v", t.Context().Err())
	}
}

// earlyFrames says more than anybody has to say before they authenticate.
func earlyFrames(t *T, c *cast) {
	s := client.Dial(t, c.run.url, nil)
	ctx, cancel := context.WithTimeout(t.Context(), t.pace.patience)
	defer cancel()
	for range 400 {
		if err := s.WS.Write(ctx, "p", "ping", object{}); err != nil {
			break // closed
		}
	}
	s.Closes(4005)
}

// manyPings sends more pings at once than any client has use for.
func manyPings(t *T, c *cast) {
	s := c.ada.Fresh()
	ctx, cancel := context.WithTimeout(t.Context(), t.pace.patience)
	defer cancel()
	var pings sync.WaitGroup
	for range 2500 {
		pings.Go(func() { _ = s.WS.WebSocket().Ping(ctx) }) // without a pong once it is closed
	}
	s.Closes(4005)
	cancel()
	pings.Wait()
}

// guarded looks for what keeps answers from other sites, and from who comes next.
func guarded(t *T, c *cast) {
	for what, a := range map[string]client.Answer{
		"an answer": c.ada.Do("GET", "/me", nil), "a refusal": anonymous(c).Do("GET", "/me", nil), "a path that is not": c.ada.Do("GET", "/nothing", nil),
	} {
		equal(t, what+": Cross-Origin-Resource-Policy", a.Header.Get("Cross-Origin-Resource-Policy"), "same-origin")
		equal(t, what+": X-Content-Type-Options", a.Header.Get("X-Content-Type-Options"), "nosniff")
		equal(t, what+": Cache-Control", a.Header.Get("Cache-Control"), "no-store")
	}
	phone := c.bob.As(t, c.bob.Login("phone"))
	h := phone.Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
	equal(t, "Clear-Site-Data of a log-out", h.Get("Clear-Site-Data"), `"cache"`)
}

// oddPaths have segments that are empty, dots or slashes.
func oddPaths(t *T, c *cast) {
	for _, path := range []string{"//me", "/../api/v1/me", "/./me", "/chats/", "/chats//messages", "/chats/%2F", "/chats/%2E%2E/messages", "/messages/%2F", "/users/%00"} {
		refused(t, c.ada, "not_found", "GET", path, nil)
	}
}
