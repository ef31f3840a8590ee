package server

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"fechatter/chat"
	"fechatter/hub"

	"github.com/coder/websocket"
)

const (
	subprotocol    = "fechatter.v1.json"
	authTimeout    = 5 * time.Second  // for a client to say who it is
	commandTimeout = 10 * time.Second // for one command, or one request
)

// Frame limits before a client is authenticated, and until it has resumed.
const (
	anonymousFrameBytes = 4 << 10
	resumeFrameBytes    = 1 << 20
)

// serveWebSocket is GET /ws. It returns at once: the connection goes on without
// the request and its buffers.
func (s *Server) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	if err := s.mayConnect(r); err != nil {
		refuse(w, r, err)
		return
	}
	c := &connection{server: s}
	hijacker := &wireHijacker{ResponseWriter: w, server: s}
	ws, err := websocket.Accept(hijacker, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // the origin was checked above, by the one rule for all routes
		OnPingReceived: func(_ context.Context, payload []byte) bool {
			c.socket.Pong(payload)
			return false
		},
		OnPongReceived: func(context.Context, []byte) { c.socket.Alive() },
	})
	if err != nil {
		s.log.Debug("accept websocket", "err", err)
		return
	}
	ws.SetReadLimit(-1) // the reader has limits of its own, by phase
	c.socket = s.hub.Register(hijacker.wire, hub.WebSocket, "", c)
	s.realtime.connections.add(c)
	token, _ := credential(r) // without one the client says auth
	s.realtime.running.Go(func() { c.begin(ws, token) })
}

// mayConnect refuses what neither a WebSocket nor an SSE stream may come from.
func (s *Server) mayConnect(r *http.Request) error {
	switch {
	case !s.originAllowed(r):
		return chat.Errorf(chat.Forbidden, "this origin may not connect")
	case s.realtime.draining.Load():
		return chat.Errorf(chat.Unavailable, "this node is going away")
	case s.full():
		e := chat.Errorf(chat.Overloaded, "this node has all the connections that it takes")
		e.RetryAfter = fullRetry
		return e
	case s.realtime.resumes.waiting() >= maxWaitingResumes, isStranger(r) && s.fullOfStrangers():
		e := chat.Errorf(chat.Overloaded, "too many are coming at once")
		e.RetryAfter = time.Second + rand.N(fullRetry) // not all at once again
		return e
	}
	return nil
}

// isStranger says whether a request carries nothing that says whose it is.
func isStranger(r *http.Request) bool {
	_, err := credential(r)
	return err != nil
}

// fullRetry is told to whom a full node refuses: others must leave first.
const fullRetry = 5 * time.Second

// full says whether the node has all its connections. A few more may come that
// are looked at in the same moment.
func (s *Server) full() bool {
	limit := s.cfg.Quotas.Connections
	return limit > 0 && s.realtime.connections.count() >= limit
}

// wireHijacker gives the upgrade a connection that the hub writes to as well.
type wireHijacker struct {
	http.ResponseWriter
	server  *Server
	wire    *hub.Wire
	refused bool // the handshake was no good
}

// WriteHeader answers a handshake that is no good with a problem, as everything
// else that is asked of this server.
func (h *wireHijacker) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		h.ResponseWriter.WriteHeader(status)
		return
	}
	h.refused = true
	newProblem(status, chat.BadRequest, "this is no WebSocket handshake of version 13").write(h.ResponseWriter)
}

// Write drops what Accept says of a refusal: the problem says it.
func (h *wireHijacker) Write(b []byte) (int, error) {
	if h.refused {
		return len(b), nil
	}
	return h.ResponseWriter.Write(b)
}

// Hijack is what Accept calls after it has written the answer to the upgrade.
func (h *wireHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	wire, err := h.server.hijack(h.ResponseWriter)
	if err != nil {
		return nil, nil, err
	}
	h.wire = wire
	return wire, wire.ReadWriter(), nil
}

// hijack takes the connection from net/http, with what it had read ahead.
func (s *Server) hijack(w http.ResponseWriter) (*hub.Wire, error) {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	ahead, _ := rw.Peek(rw.Reader.Buffered())
	return s.hub.NewWire(nc, bytes.Clone(ahead)), nil
}

// begin welcomes the client and leaves the reading to a goroutine of its own,
// whose stack has not grown: it is most of what an idle connection costs.
func (c *connection) begin(ws *websocket.Conn, token string) {
	// Whatever comes of it, the reader must run: it ends the connection's life.
	defer c.server.realtime.running.Go(func() { c.serve(ws) })
	defer c.contain()
	switch {
	case c.welcomeByRequest(token):
	case c.beStranger():
		time.AfterFunc(authTimeout, c.authDue)
	default: // at once: whoever sends credentials that do not hold may come by thousands
		c.socket.CloseNow()
	}
}

// authDue ends a connection that has not said auth in time. One whose auth is
// being looked at has said it.
func (c *connection) authDue() {
	c.mu.Lock()
	c.authLate = true
	due := c.session.ID == "" && !c.authSaid
	c.mu.Unlock()
	if due {
		c.socket.Close(closeUnauthenticated, "not authenticated in time")
	}
}

// sayAuth notes that auth was said, and answers what to call when it was judged:
// who failed has the rest of the time for another try.
func (c *connection) sayAuth() (judged func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.authSaid = true
	return func() {
		c.mu.Lock()
		c.authSaid = false
		late := c.authLate
		c.mu.Unlock()
		if late {
			c.authDue()
		}
	}
}

// serve reads the connection to its end.
func (c *connection) serve(ws *websocket.Conn) {
	defer c.socket.CloseNow()
	defer c.contain()
	for {
		kind, r, err := ws.Reader(context.Background())
		if err != nil {
			return
		}
		c.socket.Alive()
		if !c.read(kind, r) {
			// A close frame is on its way; reading on lets the peer's answer end it.
			if _, err := io.Copy(io.Discard, r); err != nil {
				return
			}
		}
	}
}

// welcomeByRequest authenticates by what the upgrade carried. A credential that
// does not hold is not refused there, for a browser could not see why.
func (c *connection) welcomeByRequest(token string) bool {
	if token == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	return c.welcome(ctx, token)
}

// read takes one message; false means that the connection is being closed.
func (c *connection) read(kind websocket.MessageType, r io.Reader) bool {
	if c.ending {
		return false
	}
	if kind != websocket.MessageText {
		return c.end(closeProtocol, "binary messages are not spoken here")
	}
	limit := c.frameLimit()
	messages := &c.server.messages
	buf := messages.Get().(*bytes.Buffer)
	defer func() {
		buf.Reset()
		if buf.Cap() <= maxPooled {
			messages.Put(buf)
		}
	}()
	if _, err := buf.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return false
	}
	if int64(buf.Len()) > limit {
		return c.end(closeTooBig, "frame too big")
	}
	if wait := c.budget.read(time.Now()); wait > 0 {
		time.Sleep(wait)
	}
	return c.handle(buf.Bytes())
}

// end closes the connection with a code, after what is queued.
func (c *connection) end(code uint16, reason string) bool {
	c.ending = true
	c.socket.Close(code, reason)
	return false
}

func (c *connection) frameLimit() int64 {
	switch {
	case c.user() == "":
		return anonymousFrameBytes
	case !c.resuming:
		return resumeFrameBytes
	}
	return int64(c.server.limits.FrameBytes)
}

const maxPooled = 64 << 10
