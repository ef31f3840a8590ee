package peers

import (
	"context"
	"net/http"

	"github.com/gorilla/websocket"
)

// queued is how many messages may wait for a client before it is dropped.
const queued = 256

// gorilla is the well-known chat server on gorilla/websocket: a goroutine that owns the
// room, and for each client one that reads and one that writes.
type gorilla struct {
	upgrader       websocket.Upgrader
	joined, parted chan *gorillaClient
	said           chan []byte
	done           <-chan struct{}
}

type gorillaClient struct {
	ws   *websocket.Conn
	send chan []byte
}

func newGorilla(ctx context.Context) *gorilla {
	g := &gorilla{joined: make(chan *gorillaClient), parted: make(chan *gorillaClient), said: make(chan []byte, queued), done: ctx.Done()}
	g.upgrader.CheckOrigin = func(*http.Request) bool { return true }
	go g.run()
	return g
}

func (g *gorilla) run() {
	clients := map[*gorillaClient]bool{}
	leave := func(c *gorillaClient) {
		if clients[c] {
			delete(clients, c)
			close(c.send)
		}
	}
	for {
		select {
		case c := <-g.joined:
			clients[c] = true
		case c := <-g.parted:
			leave(c)
		case message := <-g.said:
			for c := range clients {
				select {
				case c.send <- message:
				default:
					leave(c)
				}
			}
		case <-g.done:
			return
		}
	}
}

func (g *gorilla) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := g.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // which has answered
	}
	ws.SetReadLimit(maxMessage)
	c := &gorillaClient{ws: ws, send: make(chan []byte, queued)}
	g.joined <- c
	go c.write()
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			break
		}
		g.said <- message
	}
	g.parted <- c
	_ = ws.Close()
}

func (c *gorillaClient) write() {
	for message := range c.send {
		if c.ws.WriteMessage(websocket.TextMessage, message) != nil {
			break
		}
	}
	_ = c.ws.Close()
}
