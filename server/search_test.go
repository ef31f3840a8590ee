package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"
)

// searched is the answer of a search.
type searched struct {
	Hits []struct {
		Message struct {
			ID, Body  string
			CreatedAt string `json:"created_at"`
			Reactions []struct{ Emoji string }
		}
		Highlight string
	}
	Total  int
	TookMS *int64 `json:"took_ms"`
	LagMS  *int64 `json:"lag_ms"`
}

func (s searched) bodies() []string {
	list := []string{}
	for _, h := range s.Hits {
		list = append(list, h.Message.Body)
	}
	return list
}

func search(t *testing.T, p *client.Person, q, more string) (s searched) {
	t.Helper()
	p.Rest("GET", "/search?q="+url.QueryEscape(q)+more, nil, http.StatusOK, &s)
	return s
}

// finds fails unless the search finds just these bodies, in any order.
func finds(t *testing.T, p *client.Person, q, more string, want ...string) {
	t.Helper()
	got := search(t, p, q, more).bodies()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s finds with %q%s: %q, want %q", p.Name, q, more, got, want)
	}
}

// indexed waits until everything is in the index, so that searches no longer draw on
// the outbox.
func indexed(t *testing.T, p *client.Person) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		a := p.Do("GET", "/search?q=anything", nil)
		if a.Status == http.StatusOK && strings.Contains(string(a.Body), `"lag_ms":0}`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the index is still behind: %d %s", a.Status, a.Body)
		}
		select {
		case <-time.After(20 * time.Millisecond): // the indexer tells nobody
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// What was just sent is found, what was edited is found as it is now, and what was
// deleted is not found: at once, and once it is indexed.
func TestSearchFollowsMessages(t *testing.T) {
	n := startNode(t)
	ada, bob, eve := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob"), client.SignUp(t, n.url, "eve")
	id := ada.Group(bob)
	var edited, deleted struct{ ID string }
	say := func(body string, out any) {
		t.Helper()
		ada.Rest("POST", "/chats/"+id+"/messages", map[string]any{"body": body}, http.StatusCreated, out, "Idempotency-Key", client.NewKey())
	}
	say("the quarterly <b>report</b>", nil)
	say("the monthly report", &edited)
	say("no report", &deleted)
	for range 2 {
		finds(t, bob, "report", "", "the quarterly <b>report</b>", "the monthly report", "no report")
		finds(t, eve, "report", "")
		indexed(t, ada)
	}
	if got := search(t, bob, "quarterly", "").Hits[0].Highlight; got != "the <mark>quarterly</mark> &lt;b&gt;report&lt;/b&gt;" {
		t.Errorf("highlight %s", got)
	}
	ada.Rest("PATCH", "/messages/"+edited.ID, map[string]any{"body": "the weekly report", "version": 1}, http.StatusOK, nil)
	ada.Rest("DELETE", "/messages/"+deleted.ID, nil, http.StatusOK, nil)
	ada.Rest("PUT", "/messages/"+edited.ID+"/reactions/%F0%9F%91%8D", nil, http.StatusOK, nil)
	for range 2 {
		finds(t, bob, "report", "", "the quarterly <b>report</b>", "the weekly report")
		finds(t, bob, "monthly", "")
		indexed(t, ada)
	}
	if hit := search(t, bob, "weekly", "").Hits[0]; len(hit.Message.Reactions) != 1 {
		t.Errorf("a hit with its reactions: %+v", hit)
	}
	ada.Rest("DELETE", "/chats/"+id+"/members/"+bob.ID, nil, http.StatusOK, nil)
	finds(t, bob, "report", "")
	finds(t, bob, "report", "&chat_id="+id)
	finds(t, ada, "weekly", "", "the weekly report")
	ada.Rest("POST", "/chats/"+id+"/members", map[string]any{"user_id": bob.ID}, http.StatusCreated, nil)
	finds(t, bob, "weekly", "", "the weekly report")
}

func TestSearchFilters(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	var general struct{ ID string }
	ada.Rest("POST", "/chats", map[string]any{"kind": "public", "name": "general"}, http.StatusCreated, &general)
	bob.Rest("POST", "/chats/"+general.ID+"/join", nil, http.StatusOK, nil)
	group := ada.Group(bob)
	bob.Rest("PATCH", "/me", map[string]any{"display_name": "José Müller"}, http.StatusOK, nil)
	ada.Say(general.ID, "news one")
	bob.Say(general.ID, "news two https://example.org/a")
	bob.Say(group, "news three")
	for range 2 {
		finds(t, ada, "news", "", "news one", "news two https://example.org/a", "news three")
		finds(t, ada, "news from:bob", "", "news two https://example.org/a", "news three")
		finds(t, ada, "news in:general from:me", "", "news one")
		finds(t, ada, "has:link", "", "news two https://example.org/a")
		finds(t, ada, "news", "&chat_id="+group, "news three")
		finds(t, ada, "news", "&sender_id="+ada.ID, "news one")
		finds(t, ada, "before:2020-01-01 news", "")
		finds(t, ada, "after:2020-01-01", "&chat_id="+group, "news three")
		finds(t, ada, "example.org", "", "news two https://example.org/a")
		finds(t, ada, `from:"Jose Muller" in:#General “news two”`, "", "news two https://example.org/a")
		finds(t, ada, "from: bob", "")
		indexed(t, ada)
	}
	at := search(t, ada, "three", "").Hits[0].Message.CreatedAt
	finds(t, ada, "three", "&since="+at, "news three")
	finds(t, ada, "three", "&until="+at)
	sent, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	day := sent.UTC().Add(14 * time.Hour).Format(time.DateOnly) // Samoa is a day behind Kiribati
	finds(t, ada, "three on:"+day, "&tz=Pacific/Kiritimati", "news three")
	finds(t, ada, "three on:"+day, "&tz=Pacific/Pago_Pago")
	if first := search(t, ada, "from:bob", "").bodies(); !slices.Equal(first, []string{"news three", "news two https://example.org/a"}) {
		t.Errorf("without text the newest comes first: %q", first)
	}
	first, second := search(t, ada, "news", "&limit=2"), search(t, ada, "news", "&limit=2&offset=2")
	if len(first.Hits) != 2 || len(second.Hits) != 1 || first.Total != 3 || second.Total != 3 {
		t.Errorf("pages: %q, %q", first.bodies(), second.bodies())
	}
}

// Whatever the query, the answer is a clear error or messages of the caller's chats.
func TestSearchRefusesAndConfines(t *testing.T) {
	n := startNode(t)
	ada, eve := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "eve")
	secret := ada.Group()
	ada.Say(secret, "secret plan")
	eve.Say(eve.Group(), "own plan")
	indexed(t, ada)
	for _, more := range []string{"", "?q=", "?q=%20", "?q=%00", "?q=%FF", "?q=x&limit=0", "?q=x&limit=201", "?q=x&offset=-1", "?q=x&offset=1001", "?q=x&offset=a",
		"?q=x&since=yesterday", "?q=x&chat_id=%22+OR+1%3D1", "?q=x&sender_id=*", "?q=x&tz=Local", "?q=on:2026-01-31&tz=Mars/Olympus", "?q=x&tz=../etc/passwd", "?q=x&tz=right/UTC", "?q=x&tz=localtime", "?q=" + strings.Repeat("x", 10<<10)} {
		if a := eve.Ask("GET", "/search"+more, nil); a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), `"bad_request"`) {
			t.Errorf("%.40s: %d %s", more, a.Status, a.Body)
		}
	}
	for _, q := range []string{"*", "%", "?", `"`, `""`, `"*"`, "plan*", "+plan", "chat_id:" + secret, `plan" OR chat_id = "` + secret, "body:secret", "/.*/", "[a-z]", "se?ret",
		"secret~2", "{}", "\x01\x02plan", "plan AND secret", "NOT own", "-own", strings.Repeat("plan ", 100), "in:" + secret, "from:ada"} {
		for _, hit := range search(t, eve, q, "").Hits {
			if hit.Message.Body != "own plan" {
				t.Errorf("%q finds %q", q, hit.Message.Body)
			}
		}
	}
	finds(t, eve, "plan", "&chat_id="+secret)
	finds(t, eve, "plan", "&sender_id="+ada.ID)
	finds(t, eve, "own", "&tz=Mars/Olympus", "own plan") // no days asked for
	finds(t, client.SignUp(t, n.url, "nobody"), "plan", "")
}

// The index is part of neither the backup nor the promises: it is rebuilt when it is
// gone.
func TestSearchAfterTheIndexIsLost(t *testing.T) {
	var database string
	n := startNode(t, withDatabase(&database))
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	for i := range 30 {
		ada.Say(id, fmt.Sprint("message number", i))
	}
	indexed(t, ada)
	n.halt()
	n = startNode(t, func(c *app.Config) { c.Database = "sqlite:" + database }) // with an index of its own, empty
	ada = ada.On(n.url)
	indexed(t, ada)
	for deadline := time.Now().Add(time.Minute); ; {
		if got := search(t, ada, "number7", ""); got.Total == 1 {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("found %q", got.bodies())
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
