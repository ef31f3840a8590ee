package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"fechatter/door"

	"github.com/coder/websocket"
)

// crowd serves s through a door with so many places.
func crowd(t *testing.T, s *Server, places int) (url string, d *door.Door) {
	t.Helper()
	d = door.New(door.Config{Places: places})
	srv := httptest.NewUnstartedServer(s.Handler())
	srv.Listener = d.Listen(srv.Listener)
	srv.Config.ConnContext = door.Context
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL, d
}

// Where live connections have all places, whoever comes is told to come again; a machine
// that asks whether the node lives gets its answer.
func TestNoPlaceForAnotherConnection(t *testing.T) {
	url, d := crowd(t, over(t, nil), 1)
	live, _, err := websocket.Dial(t.Context(), url+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = live.CloseNow() }()
	get := func(path string) *http.Response {
		t.Helper()
		alone := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := alone.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	for _, path := range []string{"/", "/api/v1/me", "/openapi.json", "/healthx"} {
		res := get(path)
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !res.Close {
			t.Errorf("%s: %s with %v", path, res.Status, res.Header)
		}
	}
	if res := get("/livez"); res.StatusCode != http.StatusOK {
		t.Errorf("/livez: %s", res.Status)
	}
	if got := d.Stats(); got.Sockets != 1 || got.Refused != 5 {
		t.Errorf("%+v", got)
	}
}

// Whoever has a session is not the first to leave.
func TestWhoLoggedInIsKnownToTheDoor(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	d := door.New(door.Config{Places: 2})
	srv := httptest.NewUnstartedServer(n.handler)
	srv.Listener = d.Listen(srv.Listener)
	srv.Config.ConnContext = door.Context
	srv.Start()
	defer srv.Close()
	// Each person has a client of their own, whose connection stays open while it is idle.
	ask := func(c *http.Client, token string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+v1+"/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body) // or the connection would not stay open
		_ = res.Body.Close()
		if token == "" != (res.StatusCode == http.StatusUnauthorized) {
			t.Errorf("%q got %s", token, res.Status)
		}
	}
	client := func() *http.Client {
		c := &http.Client{Transport: &http.Transport{}}
		t.Cleanup(c.CloseIdleConnections)
		return c
	}
	known := client()
	ask(known, ada.token) // has waited longest, from now on
	for range 5 {
		ask(client(), "")
	}
	before := d.Stats()
	ask(known, ada.token)
	if got := d.Stats(); got.Closed != before.Closed || before.Closed != 4 {
		t.Errorf("%d closed before, and %d after somebody known asks again", before.Closed, got.Closed)
	}
}
