package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/hub"

	"github.com/coder/websocket"
)

// void is a source and a bus that hold nothing.
type void struct{}

func (void) Positions(context.Context, []string) (string, map[string]int64, error) {
	return "e", nil, nil
}

func (void) Events(context.Context, string, int64, int) ([]hub.Event, error) { return nil, nil }

func (void) EventsFor(context.Context, string, string, int64, int) (hub.Page, error) {
	return hub.Page{}, nil
}

func (void) Subscribe(...string) error      { return nil }
func (void) Unsubscribe(...string)          {}
func (void) Flush(context.Context) error    { return nil }
func (void) Publish(string, []byte, string) {}

// faulty is a server whose every use case panics, for it has no store.
func faulty(t *testing.T) string { return listen(t, over(t, nil)) }

// over is a server and its hub that run over a store until the test ends.
func over(t *testing.T, store chat.Store, change ...func(*Deps)) *Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	h := hub.New(hub.Config{PingEvery: time.Hour}, void{}, void{}, log) // nobody answers pings
	deps := Deps{Chat: chat.NewService(store, nil, nil, nil, chat.DefaultLimits()), Hub: h, Log: log}
	for _, f := range change {
		f(&deps)
	}
	s, err := New(Config{Limits: DefaultLimits()}, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- h.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
	})
	return s
}

func listen(t *testing.T, s *Server) (url string) {
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	return web.URL
}

func TestPanicOfAConnectionIsContained(t *testing.T) {
	url := faulty(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	dial := func(token string) *websocket.Conn {
		ws, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1)+"/ws",
			&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
		if err != nil {
			t.Fatal(err)
		}
		return ws
	}
	ws := dial(wellFormedToken) // the welcome panics
	if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != closeTryLater {
		t.Errorf("the connection ended with %v", err)
	}
	ws = dial("x") // a command panics
	defer func() { _ = ws.CloseNow() }()
	for range 2 {
		command := `{"id":"1","op":"auth","d":{"token":"` + wellFormedToken + `"}}`
		if err := ws.Write(ctx, websocket.MessageText, []byte(command)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := ws.Read(ctx)
		if err != nil || !strings.Contains(string(answer), `"code":"internal"`) || !strings.Contains(string(answer), `"re":"1"`) {
			t.Fatalf("answered %s, %v", answer, err)
		}
	}
}
