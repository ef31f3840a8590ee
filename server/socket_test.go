package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// exchangeRaw sends requests as bytes over one connection, and returns the statuses.
func exchangeRaw(t *testing.T, address string, requests ...string) []int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	var statuses []int
	for _, request := range requests {
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("after %v: %v", statuses, err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, res.StatusCode)
	}
	return statuses
}

func chunked(path, body string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
		fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
}

// Bodies over a real connection: a recorder hides what that does to them.
func TestBodiesOverASocket(t *testing.T) {
	web := httptest.NewServer(bare(t, io.Discard, nil))
	defer web.Close()
	address := web.Listener.Addr().String()
	bad := `{"username":"A","password":"12345678"}`
	got := exchangeRaw(t, address,
		chunked(v1+"/users", bad),
		chunked(v1+"/users", `{"username":"`+strings.Repeat("a", 65<<10)+`"}`),
		chunked(v1+"/users", bad),
		"GET "+v1+"/me HTTP/1.1\r\nHost: chat.example\r\nContent-Length: 2\r\n\r\n{}",
	)
	if want := "[400 413 400 401]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// A client that leaves in the middle of a request fails that request, nothing else.
func TestClientThatLeaves(t *testing.T) {
	seen := &counter{}
	web := httptest.NewServer(bare(t, io.Discard, seen))
	conn, err := net.Dial("tcp", web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST "+v1+"/users HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	res, err := web.Client().Get(web.URL + "/livez")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %v, %v", res, err)
	}
	web.Close() // waits for both
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.seen) != 2 {
		t.Errorf("saw %q", seen.seen)
	}
}
