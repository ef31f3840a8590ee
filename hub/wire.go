package hub

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Sizes of the buffers that coder/websocket is given. Its control frames have at most 2+125 bytes, so that each leaves
// the writer as one Write; a small reader only means more reads for large frames.
const (
	readBuffer  = 256
	writeBuffer = 128
)

// Wire is the socket of one client and the only way to write to it. It is the net.Conn to hand to coder/websocket, which
// reads from it and whose control frames pass through the same ordered queue as the hub's frames: nothing ever lands
// inside a frame.
//
// All methods are safe for concurrent use, Read only by one reader. The Wire ends by Close, Conn.Close, Conn.CloseNow,
// an error of the socket or the end of Hub.Run.
type Wire struct {
	hub   *Hub
	nc    net.Conn
	raw   syscall.RawConn // nil: no direct writes
	ahead []byte          // what the HTTP server had read

	reading sync.Mutex  // held by a Read
	final   atomic.Bool // Close was called: reads are over
	heard   atomic.Bool // the peer gave a sign of life since the last ping

	mu       sync.Mutex
	state    wireState
	draining bool   // a drain goroutine owns the right to write
	q        *queue // nil while nothing waits
	low      chan struct{}
	conn     *Conn // nil before Register
	err      error // why it ended

	beat beat // guarded by the wheel
}

type wireState uint8

const (
	wireOpen    wireState = iota
	wireClosing           // the last frame is queued: nothing else is taken
	wireClosed
)

// NewWire wraps a hijacked connection; buffered is what the HTTP server had already read from it (copied).
func (h *Hub) NewWire(nc net.Conn, buffered []byte) *Wire {
	w := &Wire{hub: h, nc: nc, raw: rawConnOf(nc), ahead: append([]byte(nil), buffered...)}
	if !h.wheel.add(w, time.Now().Add(h.cfg.PingEvery)) {
		w.mu.Lock()
		w.end(ErrClosed)
		w.mu.Unlock()
	}
	return w
}

// ReadWriter answers the small buffers that Hijack returns together with the Wire.
func (w *Wire) ReadWriter() *bufio.ReadWriter {
	return bufio.NewReadWriter(bufio.NewReaderSize(w, readBuffer), bufio.NewWriterSize(w, writeBuffer))
}

// Read reads what the HTTP server left over, then from the socket. After Close it fails with net.ErrClosed.
func (w *Wire) Read(p []byte) (int, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	if w.final.Load() {
		return 0, net.ErrClosed
	}
	if len(w.ahead) > 0 {
		n := copy(p, w.ahead)
		if w.ahead = w.ahead[n:]; len(w.ahead) == 0 {
			w.ahead = nil
		}
		return n, nil
	}
	return w.nc.Read(p)
}

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

// lastFrame answers the frame that ends the connection, nil for SSE.
func (w *Wire) lastFrame(code uint16, reason string) []byte {
	if w.conn != nil && w.conn.format == SSE {
		return nil
	}
	return closeFrame(code, reason)
}

// finish queues the last frame and takes nothing more. The wheel ends the wire at the latest.
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
	w.startDrain()
	w.drained()
}

// drained ends a closing wire whose queue is empty, unless the peer may still answer the close frame.
func (w *Wire) drained() {
	if w.state != wireClosing || w.draining || w.q != nil {
		return
	}
	if w.final.Load() || w.conn != nil && w.conn.format == SSE {
		w.draining = true // nobody else touches the socket
		if !w.hub.tasks.start(w.linger) {
			w.end(nil)
		}
	}
}

// end closes the socket and tells everybody. Idempotent; called under mu, so the rest happens on a goroutine.
func (w *Wire) end(err error) {
	if w.state == wireClosed {
		return
	}
	if w.state == wireOpen || w.err == nil {
		w.err = err
	}
	w.state = wireClosed
	w.dropQueue()
	w.hub.wheel.remove(w)
	conn, cause := w.conn, w.err
	closing := func() {
		_ = w.nc.Close() // it is given up in any case
		if conn != nil {
			conn.closed(cause)
		}
	}
	if !w.hub.tasks.start(closing) {
		_ = w.nc.Close() // the hub has ended, and every registered connection with it
	}
}

func (w *Wire) dropQueue() {
	if w.q != nil {
		w.hub.stats.queuedBytes.Add(-int64(w.q.total))
		w.q = nil
	}
	w.signalLow()
}

// closeNow ends the wire at once.
func (w *Wire) closeNow(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(err)
}

// Close is for the reader: it has come to an end. A wire that is closing still writes what is queued, in the
// background, until Config.CloseTimeout; any other ends at once.
func (w *Wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.state {
	case wireClosed:
		return nil
	case wireOpen:
		w.end(ErrGone)
		return nil
	}
	w.final.Store(true)
	_ = w.nc.SetReadDeadline(time.Unix(1, 0)) // a blocked reader leaves; failing means that it has
	w.drained()
	return nil
}

// LocalAddr answers the socket's local address.
func (w *Wire) LocalAddr() net.Addr { return w.nc.LocalAddr() }

// RemoteAddr answers the socket's remote address.
func (w *Wire) RemoteAddr() net.Addr { return w.nc.RemoteAddr() }

// SetDeadline sets the read deadline alone: writes have deadlines of their own.
func (w *Wire) SetDeadline(t time.Time) error { return w.nc.SetReadDeadline(t) }

// SetReadDeadline sets the deadline of reads.
func (w *Wire) SetReadDeadline(t time.Time) error { return w.nc.SetReadDeadline(t) }

// SetWriteDeadline does nothing: writes never wait, and the drain has a deadline of its own.
func (w *Wire) SetWriteDeadline(time.Time) error { return nil }
