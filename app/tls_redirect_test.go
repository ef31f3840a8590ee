package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever a client asks for, it is sent to public_url and nowhere else.
func TestRedirectLeadsToThePublicURL(t *testing.T) {
	t.Parallel()
	n, _, _ := tlsNode(t)
	for target, want := range map[string]string{
		"GET /":                                 "https://chat.example.org/",
		"GET /c/1?q=a%20b&x":                    "https://chat.example.org/c/1?q=a%20b&x",
		"HEAD /%2e%2e/a%2Fb":                    "https://chat.example.org/%2e%2e/a%2Fb",
		"GET //evil.example/x":                  "https://chat.example.org//evil.example/x",
		"GET http://evil.example/x":             "https://chat.example.org/x",
		"GET http://evil.example":               "https://chat.example.org/",
		"GET /.well-known/acme-challenge/token": "https://chat.example.org/.well-known/acme-challenge/token",
		"POST /api/v1/sessions":                 "",
		"PUT /":                                 "",
		"OPTIONS *":                             "",
	} {
		res := raw(t, n.plain.Addr().String(), target+" HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
		status := http.StatusPermanentRedirect
		if want == "" {
			status = http.StatusForbidden
		}
		if res.StatusCode != status || res.Header.Get("Location") != want {
			t.Errorf("%s: %s to %s", target, res.Status, res.Header.Get("Location"))
		}
		if got := res.Header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%s: over plain HTTP, Strict-Transport-Security is %s", target, got)
		}
	}
}

// raw sends a request as it is and returns the answer.
func raw(t *testing.T, at, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn) // the server ends it
	if err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	res, err := readResponse(string(text), method)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return res
}

func readResponse(text, method string) (*http.Response, error) {
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), &http.Request{Method: method})
	if err == nil {
		defer res.Body.Close()
	}
	return res, err
}
