package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
	"fechatter/hub"

	"github.com/coder/websocket"
)

// What one connection says is read no faster than the bound, whatever the
// settings, and none of it is refused for that.
func TestReadingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t)
		began := time.Now()
		const said = readBurst + readsPerSecond/2
		for range said {
			if !c.read(websocket.MessageText, strings.NewReader(`{"id":"1","op":"ping"}`)) {
				t.Fatal("the connection was ended")
			}
		}
		if took := time.Since(began).Round(time.Millisecond); took != time.Second/2 {
			t.Errorf("%d commands were read in %s, want half a second", said, took)
		}
		c.socket.Close(closeRestart, "the end")
		if n := strings.Count(<-answers, `"re":"1"`); n != said {
			t.Errorf("%d of %d commands were answered", n, said)
		}
	})
}

// lonely is a connection of nobody, and all that it was told, once it is closed.
func lonely(t *testing.T) (*connection, <-chan string) {
	log := slog.New(slog.DiscardHandler)
	h := hub.New(hub.Config{}, void{}, void{}, log)
	s, err := New(Config{Limits: DefaultLimits()}, Deps{
		Chat: chat.NewService(nil, nil, nil, nil, chat.DefaultLimits()), Hub: h, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
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
	c.socket = h.Register(h.NewWire(ours, nil), hub.WebSocket, "", c)
	return c, told
}
