package peers

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbioRoom is all clients of nbio, which reads all its sockets in epoll loops of its own: an idle
// one has neither a goroutine nor a buffer.
type nbioRoom struct {
	upgrader *websocket.Upgrader

	mu      sync.RWMutex
	clients map[*websocket.Conn]struct{}
}

func newNBIO() *nbioRoom {
	r := &nbioRoom{upgrader: websocket.NewUpgrader(), clients: map[*websocket.Conn]struct{}{}}
	r.upgrader.CheckOrigin = func(*http.Request) bool { return true }
	r.upgrader.KeepaliveTime = time.Hour // heartbeats are not what is measured
	r.upgrader.OnOpen(func(c *websocket.Conn) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.clients[c] = struct{}{}
	})
	r.upgrader.OnClose(func(c *websocket.Conn, _ error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.clients, c)
	})
	r.upgrader.OnMessage(func(_ *websocket.Conn, kind websocket.MessageType, message []byte) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		for c := range r.clients {
			_ = c.WriteMessage(kind, message) // OnClose learns that a client is gone
		}
	})
	return r
}

func (r *nbioRoom) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = r.upgrader.Upgrade(w, req, nil) // which has answered
}

// serveNBIO serves by nbio's engine instead of net/http.
func serveNBIO(ctx context.Context, handler http.Handler, l net.Listener) error {
	logging.SetLevel(logging.LevelNone)
	engine := nbhttp.NewEngine(nbhttp.Config{Network: "tcp", Addrs: []string{l.Addr().String()}, Handler: handler,
		Listen: func(string, string) (net.Listener, error) { return l, nil }})
	if err := engine.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	engine.Stop()
	return nil
}
