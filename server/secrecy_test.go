package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"

	"github.com/coder/websocket"
)

// logbook is a log to be read once its writers have ended.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// The log of a node, at its most verbose, holds nothing of what people wrote and
// nothing by which they could be impersonated: through the whole API and the sockets,
// with good and bad input, and while the database fails.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/chat.db"
	book := &logbook{}
	url, halt := startLogged(t, file, book)
	ada, bob := client.SignUp(t, url, "ada"), client.SignUp(t, url, "bob")
	id := ada.Group(bob)
	api(t, url, ada, bob, id)
	sockets(t, url, ada, bob, id)
	failing(t, url, file, ada, id)
	halt()
	log := book.text.String()
	for _, want := range []string{"route=/api/v1/chats/{id}/messages", "no such table", "level=DEBUG"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: the node was not asked what this test believes", want)
		}
	}
	secrets := []string{"geheim", client.Password, ada.Token, bob.Token}
	for line := range strings.Lines(log) {
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("%q is in the log: %.500s", secret, line)
			}
		}
	}
}

func startLogged(t *testing.T, file string, book io.Writer) (url string, halt func()) {
	t.Helper()
	needsNode(t)
	in, err := app.LoadConfig([]string{"--database=sqlite:" + file, "--listen=127.0.0.1:0", "--admin-listen=", "--drain-delay=0s", "--registration=open", "--search=bleve:" + t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n, err := app.Open(t.Context(), in.Config, "test", slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	halt = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	t.Cleanup(halt)
	return n.URL(), halt
}

// api uses everything over REST, with a secret wherever text goes in.
func api(t *testing.T, url string, ada, bob *client.Person, id string) {
	t.Helper()
	const secret = "geheim in the body"
	said := ada.Ask("POST", "/chats/"+id+"/messages", map[string]any{"body": secret}, "Idempotency-Key", "k1")
	var message struct{ ID string }
	said.Read(t, &message)
	for _, ask := range []struct {
		method, path string
		body         any
	}{
		{"POST", "/chats/" + id + "/messages", map[string]any{"body": secret + " other"}},
		{"POST", "/chats/" + id + "/messages", map[string]any{"body": strings.Repeat(secret, 2000)}},
		{"POST", "/chats/" + id + "/messages", []byte(`{"body":"geheim`)},
		{"POST", "/chats/" + id + "/messages", []byte(`{"body":"geheim","body":"geheim"}`)},
		{"POST", "/chats/" + id + "/messages", []byte(`{"body":{"geheim":1}}`)},
		{"PATCH", "/messages/" + message.ID, map[string]any{"body": secret + " edited", "version": 1}},
		{"PATCH", "/messages/" + message.ID, map[string]any{"body": secret + " again", "version": 1}},
		{"GET", "/messages/" + message.ID, nil},
		{"GET", "/chats/" + id + "/messages", nil},
		{"GET", "/chats/" + id + "/events", nil},
		{"GET", "/search?q=geheim", nil},
		{"GET", "/users?q=geheim", nil},
		{"GET", "/users?after=geheim&limit=geheim", nil},
		{"GET", "/geheim", nil},
		{"PUT", "/me/password", map[string]any{"current_password": "geheim-wrong", "new_password": "geheim-new"}},
		{"PUT", "/me/password", map[string]any{"current_password": client.Password, "new_password": client.Password}},
		{"POST", "/sessions", map[string]any{"username": ada.Name, "password": "geheim-wrong"}},
		{"POST", "/sessions", map[string]any{"username": "nobody", "password": "geheim-wrong"}},
		{"POST", "/users", map[string]any{"username": ada.Name, "password": "geheim-taken"}},
		{"POST", "/users", map[string]any{"username": "!", "password": "geheim-short"}},
		{"PATCH", "/me", map[string]any{"status_text": secret}},
		{"GET", "/sessions", nil},
		{"GET", "/admin/users", nil},
		{"GET", "/admin/audit", nil},
	} {
		ada.Ask(ask.method, ask.path, ask.body, "Idempotency-Key", "k1")
		bob.As(t, strings.Repeat("geheim_", 6)+"x").Do(ask.method, ask.path, ask.body)
	}
	raw(t, url, "GET /api/v1/me?token="+ada.Token+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+ada.Token+"\r\nBad Header geheim\r\n\r\n")
	raw(t, url, "geheim "+ada.Token+"\r\n\r\n")
}

// raw sends bytes that are not a proper request.
func raw(t *testing.T, url, text string) {
	t.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c)
}

// sockets uses everything over WebSocket and SSE.
func sockets(t *testing.T, url string, ada, bob *client.Person, id string) {
	t.Helper()
	s := ada.Fresh()
	for i, say := range []struct{ op, d string }{
		{"message.send", `{"chat_id":"` + id + `","key":"w1","body":"geheim by socket @bob"}`},
		{"message.send", `{"chat_id":"` + id + `","key":"w1","body":"geheim and another"}`},
		{"message.send", `{"chat_id":"geheim","key":"w2","body":"geheim"}`},
		{"message.send", `{"chat_id":7,"body":"geheim"}`},
		{"geheim", `{"geheim":"geheim"}`},
		{"auth", `{"token":"` + bob.Token + `"}`},
		{"typing.set", `{"chat_id":"` + id + `","typing":true}`},
		{"presence.watch", `{"user_ids":["geheim"]}`},
	} {
		s.Write(websocket.MessageText, fmt.Sprintf(`{"id":"c%d","op":%q,"d":%s}`, i, say.op, say.d))
		s.Until("an answer", func(f client.Frame) bool { return f.Re != nil && *f.Re == fmt.Sprint("c", i) })
	}
	bad := client.Dial(t, url, http.Header{"Authorization": {"Bearer geheim"}})
	bad.Refused("auth", map[string]any{"token": "geheim-token"}, "unauthenticated")
	bad.Write(websocket.MessageText, `geheim, not JSON`)
	bad.Closes(4502)
	stream := bob.Stream("geheim-event-id")
	stream.Want("ready")
	stream.Close()
	_ = s.WS.CloseNow()
}

// failing takes tables away from under the node.
func failing(t *testing.T, url, file string, ada *client.Person, id string) {
	t.Helper()
	for _, table := range []string{"mentions", "messages", "sessions"} {
		execute(t, file, "DROP TABLE "+table)
		a := ada.Ask("POST", "/chats/"+id+"/messages", map[string]any{"body": "geheim without a table @bob"}, "Idempotency-Key", client.NewKey())
		if a.Status < 500 {
			t.Errorf("a send without the table %s: %d", table, a.Status)
		}
	}
	ada.Do("POST", "/sessions", map[string]any{"username": ada.Name, "password": client.Password})
	s := client.Dial(t, url, http.Header{"Authorization": {"Bearer " + ada.Token}})
	_ = s.WS.CloseNow()
}
