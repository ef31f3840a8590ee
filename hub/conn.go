package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// codeSlow closes a connection whose backlog exceeds its limit.
const codeSlow = 4002

// Conn is one client connection: its output, its subscriptions and its owner. All methods are safe
// for concurrent use. It ends by Close, CloseNow, a socket error, a missed heartbeat, a backlog
// over its limit or the end of Hub.Run; then the owner's Closed is called.
type Conn struct {
	hub    *Hub
	wire   *Wire
	format Format
	owner  Owner
	index  int // in the registry's list for the user

	mu       sync.Mutex
	user     string // set before the first attachment, then constant
	attached []attachment
	ended    map[*stream]ending
	calls    []ownerCall
	calling  bool // a goroutine is making the calls
	gone     bool // no more attachments
	sealed   bool // Closed is queued: no more calls
}

// Causes handed to Owner.Closed, besides socket errors and a CloseError. ErrClosed is also what a
// call on a closed connection or hub returns.
var (
	ErrClosed      = errors.New("connection or hub closed")
	ErrGone        = errors.New("peer closed or reader ended")
	ErrSlow        = errors.New("backlog over its limit")
	ErrHeartbeat   = errors.New("ping not answered")
	ErrStalled     = errors.New("socket accepted no bytes in time")
	ErrOwnerBehind = errors.New("owner fell too far behind")
)

// CloseError is the cause of a connection's end by Conn.Close.
type CloseError struct {
	Code   uint16
	Reason string
}

func (e CloseError) Error() string { return fmt.Sprintf("closed with %d: %s", e.Code, e.Reason) }

// User returns the user, empty before Identify.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Identify sets the user of a connection that was registered without one; call it once, before any
// Attach. If the user already has most connections, it changes nothing and returns false; a most of
// 0 means no limit.
func (c *Conn) Identify(user string, most int) bool {
	return c.hub.registry.move(c, user, most)
}

// Send queues one document. It never blocks; a backlog over Config.QueueBytes closes the connection
// with 4002. data is not kept. The error is ErrClosed.
func (c *Conn) Send(op string, data []byte) error {
	return c.frame(op, data, func(p []byte) error { return c.wire.push(p, counted, nil) })
}

// SendPaced waits until the backlog is down to Config.LowMark, then queues one document outside the
// limit. The error is ErrClosed or the context's.
func (c *Conn) SendPaced(ctx context.Context, op string, data []byte) error {
	return c.frame(op, data, func(p []byte) error { return c.wire.pushPaced(ctx, p) })
}

// SendEphemeral sends one document if there is no backlog, and drops it otherwise.
func (c *Conn) SendEphemeral(op string, data []byte) {
	// Best effort: what cannot be sent is dropped.
	_ = c.frame(op, data, func(p []byte) error { return c.wire.push(p, fleeting, nil) })
}

// SendRaw queues whole blocks as they are: the response head, ids and comments of SSE. They count
// like those of Send.
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

// Cursors returns, per attached chat stream, a seq up to which everything has been queued to this
// connection: whatever is sent after the call follows those events.
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

// Close ends the subscriptions and queues a close frame behind the backlog (SSE: the end of the
// stream), waits in the background at most Config.CloseTimeout for the socket and the peer, then
// closes the socket. It is idempotent and never blocks.
func (c *Conn) Close(code uint16, reason string) {
	w := c.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == wireOpen {
		w.finish(w.lastFrame(code, reason), CloseError{code, reason})
	}
}

// CloseNow closes the socket at once. It is idempotent.
func (c *Conn) CloseNow() { c.wire.closeNow(ErrClosed) }

// closed ends the subscriptions, removes the connection from the registry and makes the owner's
// last call. It is called once, without locks.
func (c *Conn) closed(err error) {
	c.leave()
	c.hub.registry.remove(c)
	c.hub.stats.connections.Add(-1)
	c.lastCall(func(o Owner) { o.Closed(err) })
}
