package server

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"fechatter/chat"
	"fechatter/door"
	"fechatter/hub"

	"github.com/coder/websocket"
)

const (
	subprotocol    = "fechatter.v1.json"
	authTimeout    = 5 * time.Second  // for a client to authenticate
	commandTimeout = 10 * time.Second // for one command, or one request
)

// Frame limits before a client is authenticated, and until it has resumed.
const (
	anonymousFrameBytes = 4 << 10
	resumeFrameBytes    = 1 << 20
)

// serveWebSocket is GET /ws. It returns at once: the connection lives on without the
// request and its buffers.
func (s *Server) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	from := callerOf(r.Context())
	if err := s.mayConnect(r); err != nil {
		s.noteRefusal(from, "", err)
		refuse(w, r, err)
		return
	}
	c := &connection{server: s, from: from.at}
	hijacker := &wireHijacker{ResponseWriter: w, server: s, socket: door.Of(r.Context())}
	ws, err := websocket.Accept(hijacker, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // the origin was checked above, by the one rule for all routes
	})
	if err != nil {
		s.log.Debug("accept websocket", "error", err)
		return
	}
	_ = ws.CloseNow() // it made the handshake; the hub has the connection
	c.socket = s.hub.Register(hijacker.wire, hub.WebSocket, "", c)
	s.realtime.connections.add(c)
	token, _ := s.credential(r) // without one the client sends auth
	s.realtime.running.Go(func() { c.begin(token, from.from) })
}

// mayConnect refuses requests that may open neither a WebSocket nor an SSE stream.
func (s *Server) mayConnect(r *http.Request) error {
	switch {
	case !s.originAllowed(r):
		s.noteOrigin(r)
		return chat.Errorf(chat.Forbidden, "this origin may not connect")
	case refuseNames(r) != nil:
		return refuseNames(r)
	case s.realtime.draining.Load():
		return chat.Errorf(chat.Unavailable, "this node is shutting down")
	case s.full():
		e := chat.Errorf(chat.Overloaded, "this node has reached its connection limit")
		e.RetryAfter, e.Limit = fullRetry, limitConnections
		return e
	case s.realtime.resumes.all.waiting() >= maxWaitingResumes, isStranger(r) && s.realtime.strangers.full(callerOf(r.Context()).from):
		e := chat.Errorf(chat.Overloaded, "too many clients are connecting at once")
		e.RetryAfter = time.Second + rand.N(fullRetry) // not all at once again
		e.Limit = limitStrangers
		return e
	case isStranger(r):
		return s.rates.floods.stranger(callerOf(r.Context()).from)
	}
	return nil
}

// isStranger reports whether a request carries no credential.
func isStranger(r *http.Request) bool {
	_, err := credentials(r)
	return err != nil
}

// fullRetry is when a client that a full node refuses may retry: others must leave first.
const fullRetry = 5 * time.Second

// full reports whether the node has reached its connection limit. A few more may slip
// in that are checked in the same moment.
func (s *Server) full() bool {
	limit := s.cfg.Quotas.Connections
	return limit > 0 && s.realtime.connections.count() >= limit
}

// wireHijacker gives the hub the connection that is upgraded, and the upgrade one that does
// nothing.
type wireHijacker struct {
	http.ResponseWriter
	server  *Server
	socket  *door.Socket
	wire    *hub.Wire
	refused bool // the handshake was refused
}

// WriteHeader answers a bad handshake with a problem, like everything that this server
// refuses.
func (h *wireHijacker) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		h.ResponseWriter.WriteHeader(status)
		return
	}
	h.refused = true
	newProblem(status, chat.BadRequest, "not a WebSocket handshake of version 13").write(h.ResponseWriter)
}

// Write drops what Accept writes about a refusal: the problem has said it.
func (h *wireHijacker) Write(b []byte) (int, error) {
	if h.refused {
		return len(b), nil
	}
	return h.ResponseWriter.Write(b)
}

// Hijack is what Accept calls after it has written the answer to the upgrade.
func (h *wireHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	wire, err := h.server.hijack(h.ResponseWriter, h.socket)
	if err != nil {
		return nil, nil, err
	}
	h.wire = wire
	return spent{}, bufio.NewReadWriter(bufio.NewReaderSize(nil, 0), bufio.NewWriterSize(nil, 0)), nil
}

// spent stands for a connection that somebody else has.
type spent struct{ net.Conn }

// Close does nothing.
func (spent) Close() error { return nil }

// hijack takes the connection from net/http, with what that has read ahead. Its socket
// keeps its place.
func (s *Server) hijack(w http.ResponseWriter, socket *door.Socket) (*hub.Wire, error) {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	socket.Keep()
	ahead, _ := rw.Peek(rw.Reader.Buffered())
	return s.hub.NewWire(nc, bytes.Clone(ahead)), nil
}

// begin welcomes the client, and leaves the reading to the hub.
func (c *connection) begin(token string, from source) {
	// Whatever comes of the welcome, the peer must be read: its end ends the connection.
	defer c.socket.Read(c)
	defer c.contain()
	switch {
	case c.welcomeByRequest(token):
	case c.beStranger(from):
		time.AfterFunc(authTimeout, c.authDue)
	default: // at once: clients with invalid credentials may come by the thousand
		c.noteLimit(limitStrangers)
		c.socket.CloseNow()
	}
}

// Message implements hub.Reader.
func (c *connection) Message(text bool, data []byte) {
	defer c.contain()
	if !text {
		c.end(closeProtocol, "binary messages are not supported")
		return
	}
	if wait := c.allowance.read(time.Now()); wait > 0 {
		time.Sleep(wait)
	}
	c.handle(data)
}

// Ending implements hub.Reader: a client may send, and close at once.
func (c *connection) Ending() { c.sends.flushed() }

// end closes the connection with a code, after what is queued. It returns false.
func (c *connection) end(code uint16, reason string) bool {
	c.sends.flushed()
	c.socket.Close(code, reason)
	return false
}

// Limit implements hub.Reader.
func (c *connection) Limit() int {
	switch {
	case c.user() == "":
		return anonymousFrameBytes
	case !c.resuming:
		return resumeFrameBytes
	}
	return c.server.limits.FrameBytes
}
