package hub

import (
	"errors"
	"time"
)

// lingerFor is how long a closed connection is still read from, so that the close frame is not lost
// to a reset.
const (
	lingerFor   = time.Second
	lingerBytes = 16 << 10
	lingerPause = 20 * time.Millisecond
)

// lastFrame returns the frame that ends the connection, nil for SSE.
func (w *Wire) lastFrame(code uint16, reason string) []byte {
	if w.conn != nil && w.conn.format == SSE {
		return nil
	}
	return closeFrame(code, reason)
}

// finish queues the last frame; nothing is accepted after it. The wheel ends the wire at the
// latest.
func (w *Wire) finish(last []byte, err error) {
	w.state, w.err = wireClosing, err
	if w.conn != nil {
		w.hub.tasks.start(w.conn.leave)
	}
	w.hub.wheel.arm(w, time.Now().Add(w.hub.cfg.CloseTimeout))
	if last != nil {
		rest, ok := w.direct(last, nil)
		if !ok {
			return
		}
		if len(rest) > 0 {
			w.enqueue(rest, paced, len(rest) < len(last))
		}
	}
	w.startFlusher()
	w.closeIfFlushed()
}

// closeIfFlushed closes a closing wire without a backlog, unless the peer may still answer the
// close frame.
func (w *Wire) closeIfFlushed() {
	if w.state != wireClosing || w.flushing || w.backlog != nil {
		return
	}
	if w.readerGone.Load() || w.conn != nil && w.conn.format == SSE {
		w.flushing = true // nobody else may touch the socket
		if !w.hub.tasks.start(w.linger) {
			w.end(nil)
		}
	}
}

// end closes the socket and tells everybody. It is idempotent and called under mu, so the rest
// happens on a goroutine.
func (w *Wire) end(err error) {
	if w.state == wireClosed {
		return
	}
	if w.state == wireOpen || w.err == nil {
		w.err = err
	}
	w.state = wireClosed
	w.dropBacklog()
	w.leaveSpot()
	w.hub.wheel.remove(w)
	conn, cause := w.conn, w.err
	closing := func() {
		_ = w.nc.Close() // given up in any case
		if conn != nil {
			conn.closed(cause)
		}
	}
	if !w.hub.tasks.start(closing) {
		_ = w.nc.Close() // the hub has ended, and every registered connection with it
	}
}

func (w *Wire) dropBacklog() {
	if w.sealed != nil {
		w.countSealed(0)
	}
	if w.backlog != nil {
		w.hub.stats.queuedBytes.Add(-int64(w.backlog.total))
		w.backlog = nil
	}
	w.signalLow()
}

// closeNow ends the wire at once.
func (w *Wire) closeNow(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(err)
}

// readerLeft notes that nothing more will be read. A wire that is closing still writes its backlog,
// in the background, until Config.CloseTimeout; any other ends at once.
func (w *Wire) readerLeft() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.state {
	case wireOpen:
		w.end(ErrGone)
	case wireClosing:
		w.readerGone.Store(true)
		w.closeIfFlushed()
	}
}

// linger ends the writing side, reads what the peer still sends until it ends its own, and closes
// the socket: closing with unread bytes would reset the connection, and the peer might never see
// the last frames.
func (w *Wire) linger() {
	if w.closeWrite() == nil {
		w.readerGone.Store(true)
		_ = w.nc.SetReadDeadline(time.Unix(1, 0))
		w.reading.Lock() // the reader has left, and no other will come
		w.discard()
		w.reading.Unlock()
	}
	w.closeNow(nil)
}

// closeWrite ends the writing side, if the connection has sides.
func (w *Wire) closeWrite() error {
	if w.sealed != nil {
		return w.sealed.closeWrite()
	}
	if half, ok := w.nc.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// discard reads what the peer still sends, no faster than lingerBytes at each lingerPause: to take
// in what a flood goes on with would cost more than the rest of the connection did.
func (w *Wire) discard() {
	if w.nc.SetReadDeadline(time.Now().Add(lingerFor)) != nil {
		return
	}
	buf := make([]byte, lingerBytes)
	for {
		if _, err := w.nc.Read(buf); err != nil {
			return
		}
		time.Sleep(lingerPause)
	}
}
