package client

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxTries bounds how often a request is made that the server asks to repeat
// later: sign-ups come back at one in two seconds.
const maxTries = 60

// Answer is what the server said to one request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes one request and takes the answer as it is: no redirect is followed,
// and of what has no end, an event stream or an upgrade, only the head is read.
func Do(t T, method, url string, body []byte, header http.Header) Answer {
	t.Helper()
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	req.Header = header
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer res.Body.Close()
	a := Answer{Status: res.StatusCode, Header: res.Header}
	if a.Status == http.StatusSwitchingProtocols || a.Header.Get("Content-Type") == "text/event-stream" {
		return a
	}
	if a.Body, err = io.ReadAll(res.Body); err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
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

// pause waits, or until the test ends.
func pause(t T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatalf("%v", t.Context().Err())
	}
}

// encode gives the body of a request: bytes are taken as they are.
func encode(t T, body any) []byte {
	t.Helper()
	if raw, ok := body.([]byte); ok || body == nil {
		return raw
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}
