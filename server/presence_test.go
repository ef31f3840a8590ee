package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"fechatter/app"
	"fechatter/conform/client"
)

// sees waits for a push with a state of one person.
func sees(t *testing.T, s *client.Socket, who *client.Person, state string) client.Frame {
	t.Helper()
	return s.Until(fmt.Sprint(who.Name, " ", state), func(f client.Frame) bool {
		return f.Op == "presence" && stateIn(t, f, who) == state
	})
}

// stateIn returns a person's state in a frame, "" if it has none.
func stateIn(t *testing.T, f client.Frame, who *client.Person) string {
	t.Helper()
	users, ok := f.Field(t, "users").([]any)
	if !ok {
		t.Fatalf("no users in %s", f.Raw)
	}
	for _, u := range users {
		if u, ok := u.(map[string]any); ok && u["user_id"] == who.ID {
			return fmt.Sprint(u["state"])
		}
	}
	return ""
}

func watch(who ...*client.Person) map[string]any {
	ids := []string{}
	for _, p := range who {
		ids = append(ids, p.ID)
	}
	return map[string]any{"user_ids": ids}
}

func TestPresence(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada, bob, eve := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob"), client.SignUp(t, n.url, "eve")
	ada.Group(bob)
	a, e := ada.Fresh(), eve.Fresh()
	if f := a.OK("presence.watch", watch(bob, eve)); stateIn(t, f, bob) != "offline" || stateIn(t, f, eve) != "" {
		t.Errorf("before bob comes: %s", f.Raw)
	}
	b := bob.Fresh()
	sees(t, a, bob, "online")
	b.OK("presence.set", map[string]any{"state": "dnd"})
	sees(t, a, bob, "dnd")
	bob.Rest("PATCH", "/me", map[string]any{"status_text": "at lunch", "status_emoji": "🍜"}, http.StatusOK, nil)
	f := a.Until("the status text", func(f client.Frame) bool { return f.Op == "presence" })
	if users := f.Field(t, "users").([]any); users[0].(map[string]any)["status_text"] != "at lunch" || users[0].(map[string]any)["status_emoji"] != "🍜" || users[0].(map[string]any)["last_active_at"] == nil {
		t.Errorf("got %s", f.Raw)
	}
	var seen struct {
		Users []struct {
			UserID string `json:"user_id"`
			State  string
		}
	}
	bob.Rest("PUT", "/presence", map[string]any{"state": "invisible"}, http.StatusOK, &seen)
	if len(seen.Users) != 1 || seen.Users[0].State != "invisible" {
		t.Errorf("as bob sees himself: %+v", seen)
	}
	sees(t, a, bob, "offline")
	query := "/presence?" + url.Values{"user_id": {bob.ID, eve.ID, ada.ID}}.Encode()
	ada.Rest("GET", query, nil, http.StatusOK, &seen)
	got := map[string]string{}
	for _, u := range seen.Users {
		got[u.UserID] = u.State
	}
	if len(got) != 2 || got[bob.ID] != "offline" || got[ada.ID] != "online" {
		t.Errorf("GET /presence answers %v", got)
	}
	b.OK("presence.set", map[string]any{"state": "online"})
	sees(t, a, bob, "online")
	if err := b.WS.CloseNow(); err != nil {
		t.Fatal(err)
	}
	sees(t, a, bob, "offline") // after the grace of 5 s
	e.OK("ping", map[string]any{})
	for _, f := range e.Seen {
		if f.Op == "presence" {
			t.Errorf("a stranger got %s", f.Raw)
		}
	}
}

func TestPresenceIsChecked(t *testing.T) {
	n := startNode(t)
	ada := client.SignUp(t, n.url, "ada")
	s := ada.Fresh()
	s.Refused("presence.set", map[string]any{"state": "asleep"}, "bad_request")
	s.Refused("presence.set", map[string]any{"state": "offline"}, "bad_request")
	s.Refused("presence.set", map[string]any{}, "bad_request")
	s.Refused("presence.watch", map[string]any{}, "bad_request")
	s.Refused("presence.watch", map[string]any{"user_ids": make([]string, 501)}, "bad_request")
	s.OK("presence.watch", map[string]any{"user_ids": []string{"nobody", ""}})
	s.OK("presence.watch", map[string]any{"user_ids": []string{}})
	s.OK("activity", map[string]any{})
	ada.Rest("PUT", "/presence", map[string]any{"state": "unknown"}, http.StatusBadRequest, nil)
	ada.Rest("GET", "/presence", nil, http.StatusOK, nil)
	q := url.Values{}
	for range 501 {
		q.Add("user_id", ada.ID)
	}
	ada.Rest("GET", "/presence?"+q.Encode(), nil, http.StatusBadRequest, nil)
}

func TestAwayByItself(t *testing.T) {
	t.Parallel()
	n := startNode(t, func(c *app.Config) { c.AwayAfter = 4e9 })
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	ada.Group(bob)
	a, b := ada.Fresh(), bob.Fresh()
	a.OK("presence.watch", watch(bob))
	sees(t, a, bob, "away")
	b.OK("activity", map[string]any{})
	sees(t, a, bob, "online")
}
