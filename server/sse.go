package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

// sseHead begins the stream with the header that every answer has. The connection
// is hijacked, so that the hub writes to the socket itself; its end is the body's end.
func sseHead(h http.Header) []byte {
	sseHeader(h)
	h.Set("Connection", "close")
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("\r\nretry: 2000\n\n")
	return b.Bytes()
}

// sseHeader is what the header of the stream has of its own.
func sseHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
}

// tokenEvery is how often a stream on which events flow gets a token.
const tokenEvery = time.Second

// sseState is what an SSE connection has more than a WebSocket. Only the worker
// touches it.
type sseState struct {
	recent recency
	epoch  string
	clock  databaseClock
}

// databaseClock tells the database's time between two looks at it.
type databaseClock struct {
	read chat.Time
	when time.Time
}

func (d databaseClock) now() chat.Time { return d.read.Add(time.Since(d.when)) }

// serveEvents is GET /api/v1/events.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	err := s.mayConnect(r)
	token := ""
	if err == nil {
		token, err = credential(r)
	}
	if err == nil {
		var session chat.Session
		if session, err = s.chat.Authenticate(r.Context(), token); err == nil {
			err = s.budgets.resumes.charge(session.UserID)
		}
	}
	if err != nil {
		refuse(w, r, err)
		return
	}
	if r.Method == http.MethodHead {
		sseHeader(w.Header())
		return
	}
	wire, err := s.hijack(w)
	if err != nil {
		refuse(w, r, chat.Wrap(chat.Internal, err, "this connection cannot stream"))
		return
	}
	head := sseHead(w.Header())
	c := &connection{server: s, sse: &sseState{}}
	c.socket = s.hub.Register(wire, hub.SSE, "", c)
	s.realtime.connections.add(c)
	req := resumePayload{Token: lastEventID(r)}
	s.realtime.running.Go(func() {
		defer c.socket.CloseNow()
		defer c.contain()
		_ = c.socket.SendRaw(head)
		ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
		defer cancel()
		if c.welcome(ctx, token) {
			c.do(func(ctx context.Context) { c.resume(ctx, req, c.readySSE) })
		} else {
			c.socket.Close(closeUnauthenticated, "session revoked")
		}
		_, _ = io.Copy(io.Discard, wire) // nothing is expected: this waits for the client to go
	})
}

// lastEventID gives the token of a reconnect; the header wins.
func lastEventID(r *http.Request) *string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return &id
	}
	if id := r.URL.Query().Get("last_event_id"); id != "" {
		return &id
	}
	return nil
}

// readySSE sends the last frame of a resume, with the first token.
func (c *connection) readySSE(_ context.Context, epoch string) error {
	data, err := encode(pushFrame{Op: "ready", D: epochData{Epoch: epoch}})
	if err != nil {
		return err
	}
	id, _ := c.nextToken()
	return c.socket.SendRaw(fmt.Appendf(nil, "id: %s\nevent: ready\ndata: %s\n\n", id, data))
}

// nextToken gives a token of what is queued by now, and whether the cursors have
// moved since the last one. Whatever is queued after the call comes behind those
// events: a client that has the token has them.
func (c *connection) nextToken() (id string, moved bool) {
	at := c.sse.clock.now()
	cursors := c.socket.Cursors()
	moved = c.sse.recent.update(cursors)
	t := token{epoch: c.sse.epoch, at: at, cursors: cursors, complete: len(cursors) == len(c.places)}
	return t.encode(c.sse.recent.order), moved
}

// sendTokens runs until ctx ends and gives every SSE stream its tokens.
func (s *Server) sendTokens(ctx context.Context) {
	tick := time.NewTicker(tokenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, c := range s.realtime.connections.list(isSSE) {
				c.do(func(context.Context) {
					if id, moved := c.nextToken(); moved && c.resumed {
						// A block without data is no event, but its id counts.
						_ = c.socket.SendRaw([]byte("id: " + id + "\n\n"))
					}
				})
			}
		}
	}
}
