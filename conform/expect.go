package conform

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"fechatter/conform/client"
)

// soon is how late the contract allows news from another node to be.
const soon = 2 * time.Second

func text(n int64) string { return strconv.FormatInt(n, 10) }

func decode(t client.T, data []byte, out any) {
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatalf("%v in %.1000s", err, data)
	}
}

func equal[V comparable](t *T, what string, got, want V) {
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalLists[V comparable](t *T, what string, got, want []V) {
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// has checks that an object has all of these fields.
func has(t *T, what string, o object, names ...string) {
	for _, name := range names {
		if _, ok := o[name]; !ok {
			t.Errorf("%s has no %s: %v", what, name, o)
		}
	}
}

// statusOf returns the status that goes with a code.
func statusOf(code string) int {
	return map[string]int{
		"bad_request": http.StatusBadRequest, "unauthenticated": http.StatusUnauthorized, "forbidden": http.StatusForbidden,
		"not_found": http.StatusNotFound, "conflict": http.StatusConflict, "too_large": http.StatusRequestEntityTooLarge,
		"key_reused": http.StatusUnprocessableEntity, "rate_limited": http.StatusTooManyRequests,
		"internal": http.StatusInternalServerError, "unavailable": http.StatusServiceUnavailable,
		"second_factor": http.StatusUnauthorized, "overloaded": http.StatusServiceUnavailable, "unknown_outcome": http.StatusServiceUnavailable,
	}[code]
}

// refused makes a request that must be refused with a code.
func refused(t *T, p *client.Person, code, method, path string, body any, headers ...string) problem {
	ask := p.Ask
	if code == "rate_limited" {
		ask = p.Do
	}
	return isProblem(t, method+" "+path, ask(method, path, body, headers...), code, statusOf(code))
}

// isProblem checks that an answer is a complete problem with a code.
func isProblem(t *T, what string, a client.Answer, code string, status int) (p problem) {
	if a.Status != status || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: got %d %s %.300s, want %d %s", what, a.Status, a.Header.Get("Content-Type"), a.Body, status, code)
		return p
	}
	var raw object
	a.Read(t, &raw)
	a.Read(t, &p)
	has(t, what, raw, "type", "title", "status", "detail", "code")
	if p.Code != code || p.Status != status {
		t.Errorf("%s: got %.300s, want %d %s", what, a.Body, status, code)
	}
	return p
}

// each reads a list to its end, a page at a time.
func each(p *client.Person, path string, page func(client.Answer)) {
	for next, pages := path, 0; next != ""; pages++ {
		a := p.Ask("GET", next, nil)
		if a.Status != http.StatusOK || pages == 1000 {
			p.T().Fatalf("GET %s: page %d is %d %.300s", path, pages, a.Status, a.Body)
		}
		page(a)
		var more struct{ Next *string }
		a.Read(p.T(), &more)
		next = ""
		if more.Next != nil {
			next = path + "&after=" + url.QueryEscape(*more.Next)
		}
	}
}

// get reads an answer that must be 200.
func get[V any](p *client.Person, path string) (out V) {
	p.Rest("GET", path, nil, http.StatusOK, &out)
	return out
}

// entryOf returns a chat as p sees it.
func entryOf(p *client.Person, chatID string) entry { return get[entry](p, "/chats/"+chatID) }

// say sends a message by REST.
func say(p *client.Person, chatID, body string) message {
	var m message
	p.Rest("POST", "/chats/"+chatID+"/messages", object{"body": body}, http.StatusCreated, &m, "Idempotency-Key", client.NewKey())
	return m
}

// seqOf makes a change and returns its seq, 0 if nothing changed.
func seqOf(p *client.Person, method, path string) int64 {
	var out struct{ Seq int64 }
	p.Rest(method, path, nil, http.StatusOK, &out)
	return out.Seq
}

// within checks a limit that the contract sets.
func within(t *T, what string, limit time.Duration, fn func()) {
	started := time.Now()
	fn()
	if took := time.Since(started); took > limit+t.pace.slack {
		t.Errorf("%s took %s, more than %s", what, took.Round(time.Millisecond), limit)
	}
}
