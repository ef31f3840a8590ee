package client

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"fechatter/client"
)

// maxTries bounds how often a request is repeated that the server asks to repeat
// later: sign-ups are allowed again at one in two seconds.
const maxTries = 60

// Answer is what the server said to one request.
type Answer struct{ client.Answer }

// Do makes one request and returns the answer as it is: it follows no redirect,
// and reads only the head of an event stream or an upgrade, which have no end.
func Do(t T, method, url string, body []byte, header http.Header) Answer {
	t.Helper()
	c := client.Client{URL: url, HTTP: httpOf(t)}
	a, err := c.Fetch(t.Context(), method, "", body, header)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return Answer{a}
}

// Read decodes the answer's body.
func (a Answer) Read(t T, out any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, out); err != nil {
		t.Fatalf("%v in %.1000s", err, a.Body)
	}
}

// wait is how long the server asks for.
func (a Answer) wait() time.Duration {
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return time.Second
	}
	return time.Duration(seconds) * time.Second
}
