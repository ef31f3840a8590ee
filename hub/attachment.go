package hub

import (
	"maps"
	"slices"
	"time"
)

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

// fewEndings is how many endings are kept without a look at whether they still matter.
const fewEndings = 64

// end remembers an ending. Called under mu.
func (c *Conn) end(s *stream, e ending) {
	if c.ended == nil {
		c.ended = make(map[*stream]ending)
	}
	if n := len(c.ended); n >= fewEndings && n&(n-1) == 0 {
		// No Attach holds a stream that is dead: nothing can come of it any more.
		maps.DeleteFunc(c.ended, func(old *stream, _ ending) bool { return old.dead.Load() })
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
