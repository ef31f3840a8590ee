package hub

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Wire is the socket of one client and the only way to read from it and write to it: nothing ever
// lands inside a frame. Register makes a Conn of it.
//
// It ends by Conn.Close, Conn.CloseNow, a socket error, its peer or the end of Hub.Run.
type Wire struct {
	hub    *Hub
	nc     net.Conn
	raw    syscall.RawConn // nil: no direct writes, no parking
	sealed *sealed         // the TLS connection whose socket takes direct writes; nil: there is none
	ahead  []byte          // what the HTTP server had already read

	reader     Reader      // of a WebSocket, set before the first read
	due        bool        // something has come: read before parking; for the reader
	unasked    int         // bytes that the peer of an SSE stream may still send; for the reader
	reading    sync.Mutex  // held while bytes are read
	meter      meter       // of a WebSocket's frames; for the reader
	readerGone atomic.Bool // reads are over
	heard      atomic.Bool // the peer gave a sign of life since the last ping

	mu       sync.Mutex
	state    wireState
	flushing bool     // a flusher owns the right to write
	backlog  *backlog // nil while nothing waits
	low      chan struct{}
	conn     *Conn // nil before Register
	err      error // why it ended
	parked   bool  // no goroutine reads, one will when there is something
	spot     spot  // where it parks

	beat beat // guarded by the wheel
}

type wireState uint8

const (
	wireOpen    wireState = iota
	wireClosing           // the last frame is queued: nothing else is accepted
	wireClosed
)

// NewWire wraps a hijacked connection; buffered is what the HTTP server had already read from it
// (copied).
func (h *Hub) NewWire(nc net.Conn, buffered []byte) *Wire {
	w := &Wire{hub: h, nc: nc, raw: rawConnOf(nc), sealed: sealedOf(nc)}
	if len(buffered) > 0 {
		w.ahead, w.due = append([]byte(nil), buffered...), true
	}
	if !h.wheel.add(w, time.Now().Add(h.cfg.PingEvery)) {
		w.mu.Lock()
		w.end(ErrClosed)
		w.mu.Unlock()
	}
	return w
}
