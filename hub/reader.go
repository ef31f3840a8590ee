package hub

import (
	"errors"
	"net"
)

// Reader handles what the peer of a WebSocket sends. The hub calls its methods one at a time, and
// reads nothing else meanwhile: they may take as long as the peer is to wait.
type Reader interface {
	// Limit returns how many bytes the message that begins may have; a longer one closes the
	// connection with 1009.
	Limit() int
	// Message handles one message; data is valid until it returns. It is not called once the
	// connection is closing.
	Message(text bool, data []byte)
	// Ending is called before the peer's close frame is answered, before a message that cannot be
	// read is, and when the peer has ended its side: it may wait for what is still to be written.
	Ending()
}

// Read has the messages of a WebSocket's peer handled by r until the connection ends. It returns
// at once. Call it once, after Register.
func (c *Conn) Read(r Reader) {
	w := c.wire
	w.reader = r
	w.hub.tasks.start(w.readOn)
}

// Discard reads what the peer of an SSE stream sends and forgets it, and closes the connection
// when the peer has gone or has sent more than most bytes. It returns at once. Call it once, after
// Register.
func (c *Conn) Discard(most int) {
	w := c.wire
	w.unasked = most
	w.hub.tasks.start(w.readOn)
}

var (
	errParked  = errors.New("parked")
	errFlooded = CloseError{codeLimited, "too many frames"}
)

// readOn reads until the wire is parked or the reading ends.
func (w *Wire) readOn() {
	if w.conn.format == SSE {
		w.readNothing()
	} else {
		w.read()
	}
}

// read handles frames until the wire is parked or the reading ends.
func (w *Wire) read() {
	in := w.hub.intakes.get(w)
	err := in.run()
	w.hub.intakes.put(in)
	if errors.Is(err, errParked) {
		return // and somebody else may be reading by now
	}
	if !errors.Is(err, errFlooded) { // who floods does not choose how long it takes
		w.reader.Ending()
	}
	if violation, ok := errors.AsType[CloseError](err); ok {
		w.reject(violation)
	}
	w.readerLeft()
}

// reject closes the wire because of what its peer sent, and reads what still comes for a moment, so
// that the close frame is not lost to a reset.
func (w *Wire) reject(why CloseError) {
	w.mu.Lock()
	if w.state == wireOpen {
		if why == errFlooded {
			w.hub.stats.floodCloses.Add(1)
		}
		w.finish(w.lastFrame(why.Code, why.Reason), why)
	}
	w.mu.Unlock()
	w.discard()
}

// readNothing is read for an SSE stream.
func (w *Wire) readNothing() {
	in := w.hub.intakes.get(w)
	defer w.hub.intakes.put(in)
	for w.unasked > 0 {
		if !w.due && w.park() {
			return
		}
		n, err := w.take(in.buf)
		if w.unasked -= n; err != nil {
			break
		}
	}
	w.readerLeft()
}

// take reads what the HTTP server left over, then from the socket. It fails with net.ErrClosed once
// reading is over.
func (w *Wire) take(p []byte) (int, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	if w.readerGone.Load() {
		return 0, net.ErrClosed
	}
	if len(w.ahead) == 0 {
		w.due = false
		return w.nc.Read(p)
	}
	n := copy(p, w.ahead)
	if w.ahead = w.ahead[n:]; len(w.ahead) == 0 {
		w.ahead, w.due = nil, false
	}
	return n, nil
}

// isOpen reports whether messages are still handled.
func (w *Wire) isOpen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state == wireOpen
}

// alive notes that the peer was heard.
func (w *Wire) alive() { w.heard.Store(true) }
