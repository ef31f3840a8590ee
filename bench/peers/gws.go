package peers

import (
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

// room is all clients of gws, which has a broadcaster of its own: it makes a frame once,
// and each connection has a queue of tasks.
type room struct {
	gws.BuiltinEventHandler
	upgrader *gws.Upgrader

	mu      sync.RWMutex
	clients map[*gws.Conn]struct{}
}

func newGWS() *room {
	r := &room{clients: map[*gws.Conn]struct{}{}}
	r.upgrader = gws.NewUpgrader(r, &gws.ServerOption{ReadMaxPayloadSize: maxMessage})
	return r
}

func (r *room) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	c, err := r.upgrader.Upgrade(w, req)
	if err != nil {
		return // which has answered
	}
	go c.ReadLoop() // as its documentation says, to free what the request holds
}

func (r *room) OnOpen(c *gws.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients[c] = struct{}{}
}

func (r *room) OnClose(c *gws.Conn, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.clients, c)
}

func (r *room) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer func() { _ = message.Close() }()
	b := gws.NewBroadcaster(gws.OpcodeText, message.Bytes())
	defer func() { _ = b.Close() }()
	r.mu.RLock()
	defer r.mu.RUnlock()
	for c := range r.clients {
		_ = b.Broadcast(c) // OnClose learns that a client is gone
	}
}
