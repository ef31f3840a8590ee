package server

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"fechatter/chat"
)

// A user's requests draw from one budget, sends and what is like them from none
// of it, and another user has their own.
func TestRequestsOfAUserAreLimited(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Quotas = Quotas{RequestsPerSecond: 1, RequestBurst: 5} })
	ada, bob := n.person("ada"), n.person("bob")
	id := ada.group(bob)
	for _, path := range []string{"/me", "/chats", "/users", "/chats/" + id} {
		ada.want(200, "GET", path, nil)
	}
	if a := ada.refused(chat.RateLimited, "GET", "/sessions", nil); a.header.Get("Retry-After") == "" {
		t.Errorf("does not say when: %v", a.header)
	}
	for range 10 {
		ada.send(id, "hello")
	}
	bob.want(200, "GET", "/me", nil)
	anonymous := &person{n: n, name: "anonymous"}
	anonymous.refused(chat.Unauthenticated, "GET", "/me", nil)
}

// Every route that is there, or will be, has the budget that its path says.
func TestBudgetsOfRoutes(t *testing.T) {
	b := newBudgets(DefaultQuotas())
	for _, r := range (&Server{}).apiRoutes() {
		want := b.requests
		switch r.method + " " + r.path {
		case "GET /api/v1/events":
			want = b.resumes
		case "GET /api/v1/search":
			want = b.searches
		case "POST /api/v1/chats/{id}/messages", "PATCH /api/v1/messages/{id}", "PUT /api/v1/messages/{id}/reactions/{emoji}",
			"DELETE /api/v1/messages/{id}/reactions/{emoji}":
			want = nil
		}
		if got := b.of(r.method, r.path); got != want {
			t.Errorf("%s %s has another budget", r.method, r.path)
		}
	}
	if b.of("GET", v1+"/search") != b.searches || b.searches == nil {
		t.Error("the search has no budget of its own")
	}
	if none := newBudgets(Quotas{}); none.requests != nil || none.resumes != nil || none.searches != nil {
		t.Error("without requests per second there are limits")
	}
	for op, want := range map[string]*limiter{"resume": b.resumes, "message.send": nil, "cursor.set": b.requests, "unknown": b.requests} {
		if b.ofOp(op) != want {
			t.Errorf("%s has another budget", op)
		}
	}
}

// Browsers are bound to https only where people are told to come by https.
func TestStrictTransport(t *testing.T) {
	for public, want := range map[string]bool{"https://chat.example": true, "http://chat.example": false, "": false} {
		n := newNode(t, func(c *Config) { c.PublicURL = public })
		anonymous := &person{n: n, name: "anonymous"}
		a := anonymous.want(http.StatusUnauthorized, "GET", "/me", nil)
		if got := a.header.Get("Strict-Transport-Security") != ""; got != want {
			t.Errorf("under %q it is %v", public, got)
		}
	}
}

// Who resumes too often is told so, and may say it again on the same connection.
func TestResumesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t, nil)
		c.server.budgets = newBudgets(DefaultQuotas())
		c.session = chat.Session{UserID: "ada"}
		for range resumeBurst {
			if err := c.server.budgets.resumes.charge("ada"); err != nil {
				t.Fatal(err)
			}
		}
		if !c.read(websocket.MessageText, strings.NewReader(`{"id":"1","op":"resume"}`)) {
			t.Error("the connection was ended")
		}
		if c.resuming {
			t.Error("a refused resume counts as said")
		}
		c.socket.Close(closeRestart, "the end")
		if got := <-answers; !strings.Contains(got, `"code":"rate_limited"`) || !strings.Contains(got, `"retry_after_ms":500`) {
			t.Errorf("answers: %q", got)
		}
	})
}
