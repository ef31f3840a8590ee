package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/security"
)

// watched is a node whose security log is read line by line.
type watched struct {
	*node
	log  bytes.Buffer
	seen map[string]bool // events
}

func newWatched(t *testing.T, change func(*Config)) *watched {
	t.Helper()
	w := &watched{node: newNode(t, change), seen: map[string]bool{}}
	w.server.security = security.New(slog.New(slog.NewJSONHandler(&w.log, nil)), nil)
	return w
}

// wants expects, of what happened since the last call, these lines: an event and its
// fields, in order. The address is always the same one.
func (w *watched) wants(t *testing.T, lines ...string) {
	t.Helper()
	var got []string
	for line := range strings.Lines(w.log.String()) {
		got = append(got, w.read(t, line))
	}
	w.log.Reset()
	if !slices.Equal(got, lines) {
		t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

// read returns a line in short, after checking what every line has.
func (w *watched) read(t *testing.T, line string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatal(err)
	}
	event, _ := fields["event"].(string)
	w.seen[event] = true
	i := slices.IndexFunc(security.Kinds(), func(k security.Kind) bool { return string(k.Event) == event })
	if i < 0 || fields["security"] != true || fields["address"] != "192.0.2.1" {
		t.Fatalf("not a security event from the client's address: %s", line)
	}
	for _, field := range []string{"time", "level", "msg", "security", "event"} {
		delete(fields, field)
	}
	for field := range fields {
		if !slices.Contains(security.Kinds()[i].Fields, field) {
			t.Errorf("%s has a field %s, which its kind lacks", event, field)
		}
	}
	short := event
	for _, field := range []string{"user", "session", "subject", "chat", "limit", "detail"} {
		if v, ok := fields[field]; ok {
			short += fmt.Sprintf(" %s=%v", field, v)
		}
	}
	return short
}

// session returns the id of a person's current session.
func (w *watched) session(t *testing.T, p *person) string {
	t.Helper()
	for _, s := range p.want(200, "GET", "/sessions", nil).list(t, "sessions") {
		if s["current"] == true {
			return fmt.Sprint(s["id"])
		}
	}
	t.Fatal("no current session")
	return ""
}

// Coming in, going, and failing to.
func TestSessionsAreSecurityEvents(t *testing.T) {
	w := newWatched(t, nil)
	ada := w.person("ada")
	first := w.session(t, ada)
	w.wants(t, "signup.succeeded user="+ada.id, "administrator.appointed user="+ada.id+" subject="+ada.id,
		"login.succeeded user="+ada.id+" session="+first+" detail=password")
	eve := w.person("eve")
	w.wants(t, "signup.succeeded user="+eve.id, "login.succeeded user="+eve.id+" session="+w.session(t, eve)+" detail=password")

	ada.refused(chat.Unauthenticated, "POST", "/sessions", object{"username": "ada", "password": "wrong password"})
	ada.refused(chat.Unauthenticated, "POST", "/sessions", object{"username": "my-secret-typed-here", "password": password})
	w.wants(t, "login.failed user="+ada.id, "login.failed")

	ada.refused(chat.Forbidden, "PUT", "/me/password", object{"current_password": "wrong password", "new_password": password})
	ada.want(204, "PUT", "/me/password", object{"current_password": password, "new_password": password})
	who := "user=" + ada.id + " session=" + first
	w.wants(t, "password.refused "+who, "password.changed "+who)

	ada.logIn()
	second := w.session(t, ada)
	ada.want(204, "DELETE", "/sessions/"+first, nil)
	ada.refused(chat.NotFound, "DELETE", "/sessions/"+first, nil)
	ada.want(204, "DELETE", "/sessions/current", nil)
	who = "user=" + ada.id + " session=" + second
	w.wants(t, "login.succeeded "+who+" detail=password", "session.revoked "+who+" subject="+first, "logout "+who)
}

// Rights that change, and attempts to use those of others.
func TestRightsAreSecurityEvents(t *testing.T) {
	w := newWatched(t, nil)
	root, ann, bob := w.person("root"), w.person("ann"), w.person("bob")
	by := "user=" + root.id + " session=" + w.session(t, root)
	who := "user=" + ann.id + " session=" + w.session(t, ann)
	w.log.Reset()
	users := "/admin/users/" + ann.id
	root.want(200, "PUT", users+"/administrator", nil)
	root.want(200, "DELETE", users+"/administrator", nil)
	ann.refused(chat.Forbidden, "PUT", users+"/administrator", nil)
	w.wants(t, "administrator.appointed "+by+" subject="+ann.id, "administrator.dismissed "+by+" subject="+ann.id,
		"administration.refused "+who+" detail=/api/v1/admin/users/{id}/administrator")

	id := ann.group(bob)
	ann.want(200, "PATCH", "/chats/"+id+"/members/"+bob.id, object{"role": "admin"})
	ann.want(200, "PATCH", "/chats/"+id+"/members/"+ann.id, object{"muted": true})
	ann.want(201, "POST", "/chats/"+id+"/members", object{"user_id": root.id, "role": "admin"})
	role := "role.changed " + who + " subject="
	w.wants(t, role+bob.id+" chat="+id+" detail=admin", role+root.id+" chat="+id+" detail=admin")

	root.want(200, "PUT", "/admin/chats/"+id+"/retention", object{"days": 7})
	root.want(200, "DELETE", users+"/sessions", nil)
	root.want(200, "POST", users+"/suspend", nil)
	ann.refused(chat.Forbidden, "POST", "/sessions", object{"username": "ann", "password": password})
	root.want(200, "POST", users+"/restore", nil)
	w.wants(t, "retention.set "+by+" chat="+id+" detail=7", "sessions.revoked "+by+" subject="+ann.id+" detail=1",
		"user.suspended "+by+" subject="+ann.id, "login.failed user="+ann.id, "user.restored "+by+" subject="+ann.id)

	root.want(204, "DELETE", "/admin/chats/"+id, nil)
	root.refused(chat.NotFound, "DELETE", "/admin/chats/"+id, nil)
	w.wants(t, "chat.deleted "+by+" chat="+id)
}

// What is refused because it is too much, each limit by its name.
func TestLimitsAreSecurityEvents(t *testing.T) {
	w := newWatched(t, nil)
	ada := w.person("ada")
	who := "user=" + ada.id + " session=" + w.session(t, ada)
	id := ada.group()
	w.log.Reset()
	rates := &w.server.rates
	*rates = newRates(DefaultLimits(), DefaultQuotas())
	for _, l := range []*limiter{rates.requests, rates.sends, rates.signups.address, rates.logins.address, rates.knownLogins, rates.searches} {
		l.rate = newRate(1, time.Hour, 1)
	}
	ada.want(200, "GET", "/me", nil)
	ada.refused(chat.RateLimited, "GET", "/me", nil)
	ada.send(id, "one")
	ada.refused(chat.RateLimited, "POST", "/chats/"+id+"/messages", object{"body": "two"}, "Idempotency-Key", "k")
	bert := ada.want(201, "POST", "/users", object{"username": "bert", "password": password})
	w.wants(t, "limit.hit "+who+" limit=requests_per_second", "limit.hit "+who+" limit=sends_per_second", "signup.succeeded user="+bert.field("id"))
	ada.refused(chat.RateLimited, "POST", "/users", object{"username": "bob", "password": password})
	ada.refused(chat.Unauthenticated, "POST", "/sessions", object{"username": "ada", "password": "wrong password"})
	ada.refused(chat.RateLimited, "POST", "/sessions", object{"username": "ada", "password": "wrong password"})
	if err := rates.searches.charge(ada.id); err != nil {
		t.Fatal(err)
	}
	ada.refused(chat.RateLimited, "GET", "/search?q=x", nil)
	w.wants(t, "signup.throttled limit=signups_per_ip_per_minute", "login.failed user="+ada.id,
		"login.throttled limit=logins_per_ip_per_minute", "limit.hit "+who+" limit=searches")
}

// Pages of other origins, wherever they come in, and what they make up.
func TestOriginsAreSecurityEvents(t *testing.T) {
	w := newWatched(t, nil)
	for _, method := range []string{"POST /api/v1/sessions", "GET /ws", "GET /api/v1/events"} {
		verb, path, _ := strings.Cut(method, " ")
		r := httptest.NewRequest(verb, path, nil)
		r.Header.Set("Origin", "https://evil.example")
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, r)
		if answer.Code != http.StatusForbidden {
			t.Errorf("%s: %d", method, answer.Code)
		}
		w.wants(t, "origin.refused detail=https://evil.example")
	}
}

// Requests under names that are not the server's, but for probes, which come under any.
func TestForeignHostsAreSecurityEvents(t *testing.T) {
	w := newWatched(t, func(c *Config) { c.PublicURL = "https://chat.example" })
	for _, path := range []string{"/api/v1/me", "/ws", "/"} {
		if a := askFor(w.handler, "GET", path, "rebound.example:8080"); a.Code != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", path, a.Code)
		}
		w.wants(t, "host.refused detail=rebound.example:8080")
	}
	askFor(w.handler, "GET", "/livez", "rebound.example")
	askFor(w.handler, "GET", "/api/v1/me", "chat.example")
	w.wants(t)
}

// A line never holds what lets somebody in, nor what was written.
func TestSecurityEventsHoldNoSecrets(t *testing.T) {
	w := newWatched(t, nil)
	ada := w.person("ada")
	id := ada.group()
	ada.send(id, "geheim")
	for _, name := range []string{"geheim", "ada", "GEHEIM\nlevel=ERROR"} {
		ada.do("POST", "/sessions", object{"username": name, "password": "geheim geheim"})
	}
	ada.do("PUT", "/me/password", object{"current_password": "geheim geheim", "new_password": "geheim geheim"})
	ada.do("GET", "/admin/geheim", nil)
	for _, secret := range []string{"geheim", "GEHEIM", password, ada.token, `"ada"`} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, w.log.String())
		}
	}
	if !strings.Contains(w.log.String(), "login.failed") {
		t.Error("nothing was written")
	}
}
