package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/coder/websocket"

	"fechatter/client"
)

// server starts a server of these handlers and returns a client with a token.
func server(t *testing.T, handlers map[string]http.HandlerFunc) client.Client {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range handlers {
		mux.HandleFunc(pattern, h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return client.Client{URL: s.URL, Token: "secret", HTTP: s.Client()}
}

func TestCall(t *testing.T) {
	c := server(t, map[string]http.HandlerFunc{
		"POST /api/v1/chats/{id}/messages": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, `{"id":%q,"body":%q}`, r.PathValue("id")+r.Header.Get("Authorization")+r.Header.Get("Idempotency-Key")+r.Header.Get("Content-Type"), body)
		},
		"DELETE /api/v1/sessions/current": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	})
	var got struct{ ID, Body string }
	err := c.Call(t.Context(), "POST", "/chats/c/messages", map[string]any{"body": "hello"}, &got, "Idempotency-Key", "k")
	if err != nil || got.ID != "cBearer secretkapplication/json" || got.Body != `{"body":"hello"}` {
		t.Errorf("got %+v, %v", got, err)
	}
	err = c.Call(t.Context(), "POST", "/chats/c/messages", []byte("{"), &got, "Authorization", "")
	if err != nil || got.ID != "capplication/json" || got.Body != "{" {
		t.Errorf("bytes and a removed header: got %+v, %v", got, err)
	}
	if err := c.Call(t.Context(), "DELETE", "/sessions/current", nil, &got); err != nil {
		t.Errorf("an answer without a body: %v", err)
	}
}

func TestRefusedCall(t *testing.T) {
	c := server(t, map[string]http.HandlerFunc{
		"GET /api/v1/me": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"status":429,"code":"rate_limited","detail":"slow down","retry_after_ms":1500}`)
		},
		"GET /api/v1/chats": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	})
	err := c.Call(t.Context(), "GET", "/me", nil, nil)
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "rate_limited" || p.Status != 429 || p.RetryAfterMS != 1500 {
		t.Errorf("refused with %v", err)
	}
	err = c.Call(t.Context(), "GET", "/chats", nil, nil)
	if _, ok := errors.AsType[*client.Problem](err); ok || err == nil {
		t.Errorf("an answer that is not a problem: %v", err)
	}
}

// TestFetchOfAStream must return although the stream never ends.
func TestFetchOfAStream(t *testing.T) {
	c := server(t, map[string]http.HandlerFunc{"GET /events": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}})
	a, err := c.Fetch(t.Context(), "GET", "/events", nil, nil)
	if err != nil || a.Status != http.StatusOK || a.Body != nil {
		t.Errorf("got %+v, %v", a, err)
	}
}

// said is a command as the server reads it.
type said struct {
	ID, Op string
	D      json.RawMessage
}

// dial connects to a server that answers each command with what reply returns, and
// closes when that is nothing.
func dial(t *testing.T, reply func(said) []string) *client.Conn {
	t.Helper()
	c := server(t, map[string]http.HandlerFunc{"GET /ws": func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("headers %v", r.Header)
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{client.Subprotocol}})
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			var s said
			if err := json.Unmarshal(data, &s); err != nil {
				t.Errorf("%s: %v", data, err)
			}
			frames := reply(s)
			if frames == nil {
				_ = ws.Close(4500, "enough")
				return
			}
			for _, f := range frames {
				_ = ws.Write(context.Background(), websocket.MessageText, []byte(f))
			}
		}
	}})
	conn, err := c.Dial(t.Context(), client.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// TestConnCall mixes answers with events: each Call gets its own answer, and Read
// everything else in order.
func TestConnCall(t *testing.T) {
	conn := dial(t, func(s said) []string {
		switch s.Op {
		case "fail":
			return []string{`{"re":"` + s.ID + `","op":"error","d":{"code":"forbidden","detail":"no"}}`}
		case "end":
			return nil
		}
		return []string{`{"op":"before","seq":1}`, `{"re":"` + s.ID + `","op":"ok","d":` + string(s.D) + `}`, `{"op":"after","seq":2}`}
	})
	read := make(chan []string)
	go func() {
		var ops []string
		for {
			f, err := conn.Read(context.Background())
			if err != nil {
				if code := client.CloseCode(err); code != 4500 {
					t.Errorf("closed with %d: %v", code, err)
				}
				read <- ops
				return
			}
			ops = append(ops, f.Op)
		}
	}()
	f, err := conn.Call(t.Context(), "echo", map[string]int{"n": 7})
	if err != nil || string(f.D) != `{"n":7}` {
		t.Errorf("answered %s, %v", f.Raw, err)
	}
	_, err = conn.Call(t.Context(), "fail", nil)
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "forbidden" {
		t.Errorf("refused with %v", err)
	}
	if _, err := conn.Call(t.Context(), "end", nil); !errors.Is(err, client.ErrNoAnswer) {
		t.Errorf("a call when the connection ends: %v", err)
	}
	if ops := <-read; !slices.Equal(ops, []string{"before", "after"}) {
		t.Errorf("read %v", ops)
	}
	if _, err := conn.Call(t.Context(), "echo", nil); !errors.Is(err, client.ErrNoAnswer) {
		t.Errorf("a call after the end: %v", err)
	}
}

func TestConnResume(t *testing.T) {
	resumes := make(chan string, 1)
	conn := dial(t, func(s said) []string {
		select {
		case resumes <- string(s.D):
		default:
			return []string{`{"re":"` + s.ID + `","op":"error","d":{"code":"bad_request"}}`}
		}
		return []string{`{"op":"chats","d":{}}`, `{"op":"message.created","seq":4}`, `{"re":"` + s.ID + `","op":"ready","d":{}}`}
	})
	var ops []string
	resume := client.Resume{Epoch: "e", Cursors: map[string]int64{"c": 3}}
	err := conn.Resume(t.Context(), resume, func(f client.Frame) { ops = append(ops, f.Op) })
	if err != nil || !slices.Equal(ops, []string{"chats", "message.created", "ready"}) {
		t.Errorf("resumed with %v, %v", ops, err)
	}
	err = conn.Resume(t.Context(), client.Resume{}, func(client.Frame) {})
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "bad_request" {
		t.Errorf("a refused resume: %v", err)
	}
	if said := <-resumes; said != `{"epoch":"e","cursors":{"c":3}}` {
		t.Errorf("said %s", said)
	}
}
