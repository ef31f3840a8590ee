package hub

import (
	"context"
	"slices"
	"sync"
	"time"
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

// attachment is a stream that a connection is subscribed to, or is about to be.
type attachment struct {
	stream *stream
	base   int64 // the seq after which the subscription began, or one of the two below
}

const (
	attaching = -1 // an Attach is under way
	leaving   = -2 // the subscription has ended, its last frames are not yet written
)

// ending is how far a connection got in a stream to which it is not subscribed any more: what it was sent is not sent
// again, however old the position is that an Attach was given.
type ending struct {
	seq     int64  // everything up to it was queued
	removed bool   // and it was the removal of the user
	era     uint32 // of the stream
}

// User answers the user, empty before Identify.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Identify sets the user of a connection that was registered without one; once, before any Attach.
func (c *Conn) Identify(user string) {
	c.hub.registry.move(c, user)
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

// reservation is how a connection stands to a stream that is to be attached.
type reservation uint8

const (
	reserved reservation = iota // now it is kept for the caller
	live                        // subscribed already
	wait                        // an ended subscription still has frames to write: they come first
)

// reserve notes that an Attach is under way; was tells where an earlier subscription ended. The error is ErrBusy or
// ErrClosed.
func (c *Conn) reserve(s *stream) (r reservation, was ending, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return 0, was, ErrClosed
	}
	i := c.find(s)
	switch {
	case i < 0:
		c.attached = append(c.attached, attachment{s, attaching})
		return reserved, c.ended[s], nil
	case c.attached[i].base == attaching:
		return 0, was, ErrBusy
	case c.attached[i].base != leaving:
		return live, was, nil
	case lastFramesFirst:
		return wait, was, nil
	}
	c.attached[i].base = attaching
	return reserved, was, nil
}

// attach turns the reservation into a subscription; false when the connection is going. Called under the stream's lock.
func (c *Conn) attach(s *stream, base int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.find(s)
	if c.gone || i < 0 {
		return false
	}
	c.attached[i].base = base
	delete(c.ended, s)
	return true
}

// detach notes that the stream has ended the subscription. Called under the stream's lock; release follows when the
// last frames were written.
func (c *Conn) detach(s *stream, e ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.find(s); i >= 0 {
		c.attached[i].base = leaving
		c.end(s, e)
	}
}

// end remembers an ending. Called under mu.
func (c *Conn) end(s *stream, e ending) {
	if c.ended == nil {
		c.ended = make(map[*stream]ending)
	}
	c.ended[s] = e
}

// abandon is release for an Attach that came to nothing after it had queued events up to e.
func (c *Conn) abandon(s *stream, e ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.find(s); i >= 0 && c.attached[i].base == attaching {
		c.end(s, e)
	}
}

func (c *Conn) isLeaving(s *stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.find(s)
	return i >= 0 && c.attached[i].base == leaving
}

// release forgets a stream to which there is no subscription: a reservation that came to nothing, or an end.
func (c *Conn) release(s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.find(s); i >= 0 && c.attached[i].base < 0 {
		last := len(c.attached) - 1
		c.attached[i] = c.attached[last]
		c.attached[last] = attachment{}
		c.attached = c.attached[:last]
	}
}

func (c *Conn) find(s *stream) int {
	return slices.IndexFunc(c.attached, func(a attachment) bool { return a.stream == s })
}

// leave ends every subscription. Called without locks, idempotent.
func (c *Conn) leave() {
	c.mu.Lock()
	attached := c.attached
	c.attached, c.ended, c.gone = nil, nil, true
	c.mu.Unlock()
	for _, a := range attached {
		a.stream.leave(c, time.Now())
	}
}

// closed is the end: no subscriptions, no entry in the registry, and the owner's last call. Called without locks, once.
func (c *Conn) closed(err error) {
	c.leave()
	c.hub.registry.remove(c)
	c.hub.stats.connections.Add(-1)
	c.lastCall(func(o Owner) { o.Closed(err) })
}
