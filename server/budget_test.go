package server

import (
	"io"
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
		c, answers := lonely(t, nil)
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
func lonely(t *testing.T, store chat.Store, change ...func(*Deps)) (*connection, <-chan string) {
	return connect(t, over(t, store, change...))
}

// connect makes a connection of nobody to s, and all that it was told, once it is
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
