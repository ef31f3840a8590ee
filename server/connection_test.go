package server

import (
	"context"
	"errors"
	"fechatter/chat"
	"fechatter/hub"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"
	"time"
)

// void is a source and a bus without content.
type void struct{}

func (void) Positions(context.Context, []string) (string, map[string]hub.End, error) {
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
func (void) Announce([]string)              {}

// over runs a server and its hub over a store until the test ends.
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

// lonely returns a connection of nobody to a server of its own, and all that it was
// sent, once it is closed.
func lonely(t *testing.T, store chat.Store, change ...func(*Deps)) (*connection, <-chan string) {
	return connect(t, over(t, store, change...))
}

// connect returns a connection of nobody to s, and all that it was sent, once it is
// closed.
func connect(t *testing.T, s *Server) (*connection, <-chan string) {
	ours, theirs := net.Pipe()
	told := make(chan string, 1)
	go func() {
		b, err := io.ReadAll(theirs)
		if err != nil {
			t.Error(err)
		}
		told <- string(b)
	}()
	c := &connection{server: s}
	c.socket = s.hub.Register(s.hub.NewWire(ours, nil), hub.WebSocket, "", c)
	s.realtime.connections.add(c)
	return c, told
}
