package hub

import (
	"errors"
	"fmt"
	"net"
)

// errNotControl is what coder/websocket gets for anything but a control frame.
var errNotControl = errors.New("a wire takes only whole control frames; write data through its Conn")

// Write takes one whole control frame: a pong, a ping or a close. It never blocks. After a close frame, whoever made
// it, nothing is written any more; a second close frame is dropped.
func (w *Wire) Write(p []byte) (int, error) {
	if !isControl(p) {
		return 0, errNotControl
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.state == wireClosed:
		return 0, net.ErrClosed
	case w.state == wireClosing:
		return len(p), nil
	case p[0] == opClose:
		w.finish(p, ErrGone)
	default:
		w.control(p)
	}
	return len(p), nil
}

// control sends a ping or a pong, or keeps it for the next boundary, where a newer one replaces an older one.
func (w *Wire) control(p []byte) {
	rest, ok := w.direct(p, nil)
	if !ok || len(rest) == 0 {
		return
	}
	switch q := w.queue(); {
	case len(rest) < len(p):
		w.enqueue(rest, paced, true)
	case p[0] == opPong:
		q.pong = append(q.pong[:0], p...)
	default:
		q.ping = append(q.ping[:0], p...)
	}
	w.startDrain()
}

// push sends or queues whole frames of one class. It never blocks. rw may be nil.
func (w *Wire) push(p []byte, c class, rw *rawWriter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(p, c, rw)
}

func (w *Wire) put(p []byte, c class, rw *rawWriter) error {
	if w.state != wireOpen {
		return ErrClosed
	}
	if c == fleeting && (w.draining || w.q != nil) {
		w.hub.stats.ephemeralDrops.Add(1)
		return nil
	}
	rest, ok := w.direct(p, rw)
	if !ok {
		return ErrClosed
	}
	if len(rest) == 0 {
		return nil
	}
	w.enqueue(rest, c, len(rest) < len(p))
	w.limit()
	w.startDrain()
	return nil
}

// direct writes what the socket takes at once, if nothing waits before it, and answers the rest; false: the socket is
// broken, and the wire has ended.
func (w *Wire) direct(p []byte, rw *rawWriter) (rest []byte, ok bool) {
	if w.draining || w.q != nil || w.raw == nil {
		return p, true
	}
	if rw == nil {
		rw = w.hub.writers.get()
		defer w.hub.writers.put(rw)
	}
	rw.p, rw.n, rw.err = p, 0, nil
	err := w.raw.Write(rw.try)
	if err == nil {
		err = rw.err
	}
	if err != nil {
		w.end(fmt.Errorf("write frames: %w", err))
		return nil, false
	}
	return p[rw.n:], true
}

func (w *Wire) queue() *queue {
	if w.q == nil {
		w.q = &queue{}
	}
	return w.q
}

func (w *Wire) enqueue(p []byte, c class, begun bool) {
	w.queue().add(p, c, begun)
	w.hub.stats.queuedBytes.Add(int64(len(p)))
}

// limit enforces the bound of the queue: first the ephemerals go, then the connection.
func (w *Wire) limit() {
	bound := w.hub.cfg.QueueBytes
	if bound < 0 || w.q.counted <= bound {
		return
	}
	w.hub.stats.slowCloses.Add(1)
	w.cut()
	w.finish(w.lastFrame(codeSlow, "slow consumer"), ErrSlow)
}

// cut drops everything that is queued but the rest of a begun frame.
func (w *Wire) cut() {
	before := w.q.total
	w.q.truncate()
	w.hub.stats.queuedBytes.Add(int64(w.q.total - before))
}
