package peers

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// coder is a first attempt: coder/websocket and a loop over all clients.
type coder struct {
	mu      sync.Mutex
	clients map[*websocket.Conn]struct{}
}

func newCoder() *coder { return &coder{clients: map[*websocket.Conn]struct{}{}} }

func (s *coder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // which has answered
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(maxMessage)
	s.mu.Lock()
	s.clients[ws] = struct{}{}
	s.mu.Unlock()
	for {
		_, message, err := ws.Read(r.Context())
		if err != nil {
			break
		}
		s.say(r.Context(), message)
	}
	s.mu.Lock()
	delete(s.clients, ws)
	s.mu.Unlock()
}

func (s *coder) say(ctx context.Context, message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ws := range s.clients {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		_ = ws.Write(ctx, websocket.MessageText, message) // its reader learns that a client is gone
		cancel()
	}
}
