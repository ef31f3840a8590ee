package hub

import (
	"bufio"
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
