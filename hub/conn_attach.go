package hub

import (
	"maps"
	"slices"
	"time"
)

// attachment is a stream to which a connection is subscribed, or about to be.
type attachment struct {
	stream *stream
	base   int64 // the seq after which the subscription began, or one of the two below
}

const (
	attaching = -1 // an Attach is in progress
	leaving   = -2 // the subscription has ended, its last frames are not written yet
	watching  = -3 // there is none: see Hub.Watch
)

// ending is how far a connection got in a stream to which it is no longer subscribed: what it was
// sent is not sent again, however old the position given to an Attach.
type ending struct {
	seq     int64  // everything up to it was queued
	removed bool   // and it was the removal of the user
	era     uint32 // of the stream
}

// reservation is how a connection stands to a stream that is to be attached.
type reservation uint8

const (
	reserved reservation = iota // for the caller, from now on
	live                        // already subscribed
	wait                        // an ended subscription still has frames to write: they come first
)

// reserve notes that an Attach is in progress; was tells where an earlier subscription ended. The
// error is ErrBusy or ErrClosed.
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
	case c.attached[i].base == leaving:
		return wait, was, nil
	case c.attached[i].base == watching:
		c.attached[i].base = attaching
		return reserved, c.ended[s], nil
	}
	return live, was, nil
}

// watches notes that the connection watches the stream, or returns false if it is going
// away. It is called under the stream's lock.
func (c *Conn) watches(s *stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch i := c.find(s); {
	case c.gone:
		return false
	case i < 0:
		c.attached = append(c.attached, attachment{s, watching})
	}
	return true
}

// attach turns the reservation into a subscription, or returns false if the connection is going
// away. It is called under the stream's lock.
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

// detach notes that the stream has ended the subscription. It is called under the stream's lock;
// release follows once the last frames are written.
func (c *Conn) detach(s *stream, e ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.find(s); i >= 0 {
		c.attached[i].base = leaving
		c.end(s, e)
	}
}

// fewEndings is how many endings are kept before any is checked for whether it still matters.
const fewEndings = 64

// end remembers an ending. It is called under mu.
func (c *Conn) end(s *stream, e ending) {
	if c.ended == nil {
		c.ended = make(map[*stream]ending)
	}
	if n := len(c.ended); n >= fewEndings && n&(n-1) == 0 {
		// No Attach holds a dead stream: its endings no longer matter.
		maps.DeleteFunc(c.ended, func(old *stream, _ ending) bool { return old.dead.Load() })
	}
	c.ended[s] = e
}

// abandon is for an Attach that failed after it had queued events up to e; release follows.
func (c *Conn) abandon(s *stream, e ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.find(s); i >= 0 && c.attached[i].base == attaching {
		c.end(s, e)
	}
}

// isLeaving reports whether the last frames of an ended subscription are still to be written.
func (c *Conn) isLeaving(s *stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.find(s)
	return i >= 0 && c.attached[i].base == leaving
}

// release forgets a stream to which there is no subscription: a reservation that came to nothing,
// or an end.
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

// leave ends every subscription. It is idempotent and called without locks.
func (c *Conn) leave() {
	c.mu.Lock()
	attached := c.attached
	c.attached, c.ended, c.gone = nil, nil, true
	c.mu.Unlock()
	for _, a := range attached {
		a.stream.leave(c, time.Now())
	}
}
