package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"fechatter/chat"
	"fechatter/door"
	"fechatter/hub"
)

// sseHead begins the stream with the header that every answer has. The connection is
// hijacked, so that the hub can write to the socket itself; its end is the body's end.
func sseHead(h http.Header) []byte {
	sseHeader(h)
	h.Set("Connection", "close")
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("\r\nretry: 2000\n\n")
	return b.Bytes()
}

// sseHeader adds the header fields that only the stream has.
func sseHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
}

// tokenEvery is how often a stream on which events flow gets a token.
const tokenEvery = time.Second

// sseState is what an SSE connection has beyond a WebSocket. Only the worker touches
// it.
type sseState struct {
	recent recency
	epoch  string
	seen   seen
}

// seen is a horizon below which a stream has been sent every event, and the next one:
// that of a snapshot of which something may not have been sent yet.
type seen struct {
	below, next chat.Horizon
	awaited     map[string]int64 // the last seqs in the snapshot of next; nil: there is none
}

// follow moves the horizon to the next one when the cursors have reached it.
func (s *seen) follow(cursors map[string]int64) {
	for id, seq := range s.awaited {
		if cursors[id] < seq {
			return
		}
	}
	if s.awaited != nil {
		s.below, s.awaited = s.next, nil
	}
}

// serveEvents is GET /api/v1/events.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	from := callerOf(r.Context())
	err := s.mayConnect(r)
	token := ""
	if err == nil {
		token, err = s.credential(r)
	}
	if err == nil {
		if from.session, err = s.admit(r.Context(), token); err == nil {
			err = from.session.Admit(chat.ScopeRead)
		}
		if err == nil {
			err = s.rates.resumes.charge(from.userID())
		}
	}
	if err != nil {
		s.noteRefusal(from, "", err)
		refuse(w, r, err)
		return
	}
	if r.Method == http.MethodHead {
		sseHeader(w.Header())
		return
	}
	wire, err := s.hijack(w, door.Of(r.Context()))
	if err != nil {
		refuse(w, r, chat.Wrap(chat.Internal, err, "this connection cannot stream"))
		return
	}
	head := sseHead(w.Header())
	c := &connection{server: s, from: from.at, sse: &sseState{}}
	c.socket = s.hub.Register(wire, hub.SSE, "", c)
	s.realtime.connections.add(c)
	req := resumePayload{Token: lastEventID(r)}
	s.realtime.running.Go(func() {
		defer c.socket.Discard(maxUnasked) // the client has nothing to send: this notices that it goes
		defer c.contain()
		_ = c.socket.SendRaw(head)
		ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
		defer cancel()
		if c.welcome(ctx, token) {
			c.do(func(ctx context.Context) { c.resume(ctx, req, c.readySSE) })
		} else {
			c.socket.Close(closeUnauthenticated, "session revoked")
		}
	})
}

// maxUnasked is how many bytes a client may send on a stream of the server's.
const maxUnasked = 64 << 10

// lastEventID returns the token of a reconnect; the header wins over the query.
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
	c.sse.recent.moves = 0
	return c.socket.SendRaw(fmt.Appendf(nil, "id: %s\nevent: ready\ndata: %s\n\n", id, data))
}

// nextToken returns a token of all that is queued by now, and whether the cursors
// have moved since the last one. Whatever is queued after the call comes behind those
// events: a client that has the token has them.
func (c *connection) nextToken() (id string, moved bool) {
	cursors := c.socket.Cursors()
	moved = c.sse.recent.update(cursors)
	c.sse.seen.follow(cursors)
	t := token{epoch: c.sse.epoch, horizon: c.sse.seen.below, cursors: cursors, complete: len(cursors) == len(c.places)}
	return t.encode(c.sse.recent.order), moved
}

// lookAhead reads the next horizon, before more chats move than a token names: those
// that it does not name have then not moved since its horizon. What fails, or waits for
// a chat that the user has left, is replaced in due course.
func (c *connection) lookAhead(ctx context.Context) {
	s := c.sse
	if len(s.recent.order) <= alwaysNamed || s.recent.moves < alwaysNamed/2 {
		return
	}
	last, at, err := c.server.chat.LastSeqs(ctx, c.user())
	for id := range c.hiding {
		delete(last, id) // the client does not have them
	}
	if err == nil {
		s.recent.moves, s.seen.next, s.seen.awaited = 0, at, last
	}
}

// sendTokens sends every SSE stream its tokens, until ctx ends.
func (s *Server) sendTokens(ctx context.Context) {
	every(ctx, tokenEvery, func(time.Time) {
		for _, c := range s.realtime.connections.list(isSSE) {
			c.do(func(ctx context.Context) {
				if id, moved := c.nextToken(); moved && c.resumed {
					// A block without data is not an event, but its id counts.
					_ = c.socket.SendRaw([]byte("id: " + id + "\n\n"))
					c.lookAhead(ctx)
				}
			})
		}
	})
}
