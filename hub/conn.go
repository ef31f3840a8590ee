package hub

import (
	"context"
	"slices"
	"sync"
)

// codeSlow closes a connection whose queue has passed its limit.
const codeSlow = 4002

// Conn is one client connection: its output, its subscriptions and its owner. All methods are safe for concurrent use.
// It ends by Close, CloseNow, an error of the socket, a missed heartbeat, a full queue or the end of Hub.Run; then the
// owner's Closed is called.
type Conn struct {
	hub    *Hub
	wire   *Wire
	format Format
	owner  Owner
	index  int // in the registry's list of the user

	mu       sync.Mutex
	user     string // set before the first attachment, then constant
	attached []attachment
	ended    map[*stream]ending
	calls    []ownerCall
	calling  bool // a goroutine works on calls
	gone     bool // no more attachments
	told     bool // Closed is the last of calls
}

// User answers the user, empty before Identify.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Identify sets the user of a connection that was registered without one; once, before any Attach. It answers false,
// and changes nothing, when the user has most connections already; 0 is no bound.
func (c *Conn) Identify(user string, most int) bool {
	return c.hub.registry.move(c, user, most)
}

// Send queues one document. It never blocks; past Config.QueueBytes the connection is closed with 4002. data is not
// kept. The error is ErrClosed.
func (c *Conn) Send(op string, data []byte) error {
	return c.frame(op, data, func(p []byte) error { return c.wire.push(p, counted, nil) })
}

// SendPaced waits until the queue has drained to Config.LowMark, then queues one document outside the limit. The error
// is ErrClosed or the context's.
func (c *Conn) SendPaced(ctx context.Context, op string, data []byte) error {
	return c.frame(op, data, func(p []byte) error { return c.wire.pushPaced(ctx, p) })
}

// SendEphemeral sends one document if nothing is queued, and drops it otherwise.
func (c *Conn) SendEphemeral(op string, data []byte) {
	_ = c.frame(op, data, func(p []byte) error { return c.wire.push(p, fleeting, nil) }) // best effort
}

// SendRaw queues whole blocks as they are: the response head, ids and comments of SSE. Counted like Send.
func (c *Conn) SendRaw(block []byte) error { return c.wire.push(block, counted, nil) }

func (c *Conn) frame(op string, data []byte, send func([]byte) error) error {
	b := c.hub.buffers.get()
	defer c.hub.buffers.put(b)
	b.b = appendDocument(b.b, c.format, op, data)
	return send(b.b)
}

// Follows reports whether the connection is subscribed to a stream.
func (c *Conn) Follows(stream string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.attached, func(a attachment) bool { return a.base >= 0 && a.stream.id == stream })
}

// Cursors answers, per attached chat stream, a seq up to which everything has been queued to this connection: whatever
// is sent after the call comes after those events.
func (c *Conn) Cursors() map[string]int64 {
	c.mu.Lock()
	attached := slices.Clone(c.attached)
	c.mu.Unlock()
	cursors := make(map[string]int64, len(attached))
	for _, a := range attached {
		if a.base < 0 {
			continue
		}
		if flushed, chat := a.stream.progress(); chat {
			cursors[a.stream.id] = max(a.base, flushed)
		}
	}
	return cursors
}

// Alive notes that the peer was heard: a pong or any frame.
func (c *Conn) Alive() { c.wire.heard.Store(true) }

// Pong answers a ping. While the socket is full only the latest is kept.
func (c *Conn) Pong(payload []byte) {
	c.Alive()
	var frame [2 + maxControl]byte
	_, _ = c.wire.Write(appendControl(frame[:0], opPong, payload)) // a closed connection answers nothing
}

// Close ends the subscriptions and queues a close frame after what is queued (SSE: the end of the stream), waits in the
// background at most Config.CloseTimeout for the socket and the peer, then closes the socket. Idempotent; never blocks.
func (c *Conn) Close(code uint16, reason string) {
	w := c.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == wireOpen {
		w.finish(w.lastFrame(code, reason), CloseError{code, reason})
	}
}

// CloseNow closes the socket at once. Idempotent.
func (c *Conn) CloseNow() { c.wire.closeNow(ErrClosed) }

// closed is the end: no subscriptions, no entry in the registry, and the owner's last call. Called without locks, once.
func (c *Conn) closed(err error) {
	c.leave()
	c.hub.registry.remove(c)
	c.hub.stats.connections.Add(-1)
	c.lastCall(func(o Owner) { o.Closed(err) })
}
