package server

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// A user's requests draw from one budget, sends and their like from none of it, and
// another user has their own.
func TestRequestsOfAUserAreLimited(t *testing.T) {
	n := newNode(t, nil)
	n.server.rates.requests = newLimiter(1, time.Hour, 5) // five, and no more in the time of a test
	ada, bob := n.person("ada"), n.person("bob")
	id := ada.group(bob)
	for _, path := range []string{"/me", "/chats", "/users", "/chats/" + id} {
		ada.want(200, "GET", path, nil)
	}
	if a := ada.refused(chat.RateLimited, "GET", "/sessions", nil); a.header.Get("Retry-After") == "" {
		t.Errorf("does not tell when to retry: %v", a.header)
	}
	for range 10 {
		ada.send(id, "hello")
	}
	bob.want(200, "GET", "/me", nil)
	anonymous := &person{n: n, name: "anonymous"}
	anonymous.refused(chat.Unauthenticated, "GET", "/me", nil)
}

// A limiter is charged for each budget that a route or a command may name, except for
// those that the handlers charge.
func TestLimitersOfBudgets(t *testing.T) {
	r := newRates(DefaultLimits(), DefaultQuotas())
	for b, want := range map[budget]*limiter{ofRequests: r.requests, ofResumes: r.resumes, ofSearches: r.searches} {
		if got := r.of(b); got != want || got == nil {
			t.Errorf("budget %d has another limiter", b)
		}
	}
	for _, b := range []budget{ofMessages, ofSignUps, ofLogIns, unlimited} {
		if r.of(b) != nil {
			t.Errorf("budget %d is charged twice", b)
		}
	}
	none := newRates(Limits{}, Quotas{})
	none.floods, none.hooks = floods{}, nil // whatever the settings
	if none != (rates{}) {
		t.Error("without requests per second there are limits")
	}
}

// What costs more than most, and a send, draws from a budget of its own;
// everything else that needs a session draws from the user's requests.
func TestBudgetsOfRoutesAndCommands(t *testing.T) {
	own := map[string]budget{
		"GET /api/v1/events": ofResumes, "GET /api/v1/search": ofSearches, "POST /api/v1/chats/{id}/messages": ofMessages,
		"GET /api/v1/workspace": unlimited, "OPTIONS /api/v1/uploads": unlimited, "POST /api/v1/hooks/{id}/{secret}": unlimited, "POST /api/v1/invitations/check": ofLogIns,
		"POST /api/v1/password-resets": ofLogIns, "POST /api/v1/password-resets/complete": ofLogIns,
		"POST /api/v1/sessions/passkey/options": unlimited, "POST /api/v1/sessions/passkey": ofLogIns,
		"GET /api/v1/auth/{provider}": unlimited, "GET /api/v1/auth/{provider}/callback": ofLogIns, "POST /api/v1/auth/{provider}/logout": unlimited,
		"POST /api/v1/users": ofSignUps, "POST /api/v1/sessions": ofLogIns, "resume": ofResumes, "message.send": ofMessages,
	}
	rows := map[string]budget{}
	for _, r := range (&Server{}).apiRoutes() {
		rows[r.method+" "+r.path] = r.budget
	}
	for _, c := range commands() {
		rows[c.op] = c.budget
	}
	rows["unknown"] = newCommandTable().of("made up").budget
	for name, got := range rows {
		if got != own[name] { // ofRequests where it has none of its own
			t.Errorf("%s draws from budget %d, want %d", name, got, own[name])
		}
	}
	for name := range own {
		if _, ok := rows[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
}

// A user who resumes too often is refused, and may try again on the same connection.
func TestResumesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t, nil)
		c.server.rates = newRates(DefaultLimits(), DefaultQuotas())
		c.session = chat.Session{UserID: "ada"}
		for range resumeBurst {
			if err := c.server.rates.resumes.charge("ada"); err != nil {
				t.Fatal(err)
			}
		}
		c.Message(true, []byte(`{"id":"1","op":"resume"}`))
		if c.resuming {
			t.Error("a refused resume counts as received")
		}
		c.socket.Close(closeRestart, "the end")
		if got := <-answers; !strings.Contains(got, `"code":"rate_limited"`) || !strings.Contains(got, `"retry_after_ms":500`) ||
			!strings.Contains(got, closing(closeRestart)) {
			t.Errorf("answers: %q", got)
		}
	})
}

// A connection's commands other than sends have a limit of their own: 50 a second, and
// as many as the limit of sends allows.
func TestCommandsOfAConnectionAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t, nil)
		c.session = chat.Session{UserID: "ada"}
		say := func(times int) {
			for range times {
				c.Message(true, []byte(`{"id":"1","op":"ping"}`))
			}
		}
		say(221)
		time.Sleep(time.Second)
		say(61)
		c.socket.Close(closeRestart, "the end")
		got := <-answers
		if ok, refused := strings.Count(got, `"op":"ok"`), strings.Count(got, `"code":"rate_limited"`); ok != 280 || refused != 2 {
			t.Errorf("%d were answered and %d refused, want 280 and 2", ok, refused)
		}
	})
}

// One connection's commands are read no faster than the bound, whatever the settings,
// and none of them is refused for that.
func TestReadingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t, nil)
		began := time.Now()
		const said = 2000 + 1000/2
		for range said {
			c.Message(true, []byte(`{"id":"1","op":"ping"}`))
		}
		if took := time.Since(began).Round(time.Millisecond); took != time.Second/2 {
			t.Errorf("%d commands were read in %s, want half a second", said, took)
		}
		c.socket.Close(closeRestart, "the end")
		if n := strings.Count(<-answers, `"re":"1"`); n != said {
			t.Errorf("%d of %d commands were answered", n, said)
		}
	})
}
