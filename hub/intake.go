package hub

import (
	"encoding/binary"
	"sync"
	"unicode/utf8"
)

// Sizes of an intake's buffer: that of a reader which will be parked, and that of one which has to
// wait with it for the next frame.
const (
	intakeBuffer  = 4 << 10
	waitingBuffer = 256
)

// intake is what a wire needs while its peer's frames are read. A parked wire has none.
type intake struct {
	wire     *Wire
	buf      []byte // buf[from:to] was read and not handled yet
	from, to int
	message  []byte // of a message in fragments, those so far
	op       byte   // of the message that has begun, 0 between messages
	limit    int    // of its bytes
	unwanted bool   // it is read and forgotten
}

// run handles frames until an error: CloseError is what the peer did wrong.
func (in *intake) run() error {
	for {
		h, err := in.header()
		if err != nil {
			return err
		}
		if !in.wire.affords(h) {
			return errFlooded
		}
		if err := h.check(in.op != 0); err != nil {
			return err
		}
		if h.isControl() {
			err = in.control(h)
		} else {
			err = in.data(h)
		}
		if err != nil {
			return err
		}
	}
}

// header reads the next header. Between messages, when everything is handled, it parks the wire.
func (in *intake) header() (header, error) {
	for {
		h, ok := parseHeader(in.buf[in.from:in.to])
		if ok {
			in.from += h.size
			return h, nil
		}
		if in.from == in.to && in.op == 0 && !in.wire.due {
			if in.wire.park() {
				return h, errParked
			}
			in.shrink()
		}
		if err := in.fill(0); err != nil {
			return h, err
		}
	}
}

// shrink exchanges an empty buffer for one to wait with.
func (in *intake) shrink() {
	if len(in.buf) > waitingBuffer {
		in.buf = make([]byte, waitingBuffer)
	}
	in.from, in.to, in.message = 0, 0, nil
}

// fill reads more. Where n bytes have to lie together, the buffer grows as they come: what a peer
// announces costs nothing.
func (in *intake) fill(n int) error {
	switch {
	case in.from == in.to:
		in.from, in.to = 0, 0
	case in.to == len(in.buf) && in.from > 0:
		in.to = copy(in.buf, in.buf[in.from:in.to])
		in.from = 0
	case in.to == len(in.buf):
		in.buf = append(make([]byte, 0, max(2*len(in.buf), min(n, intakeBuffer))), in.buf...)
		in.buf = in.buf[:cap(in.buf)]
	}
	got, err := in.wire.take(in.buf[in.to:])
	in.to += got
	if got > 0 {
		return nil // an error will come again
	}
	return err
}

// payload returns a payload without its mask.
func (in *intake) payload(h header) ([]byte, error) {
	for in.to-in.from < h.length {
		if err := in.fill(h.length); err != nil {
			return nil, err
		}
	}
	p := in.buf[in.from : in.from+h.length]
	in.from += h.length
	unmask(p, h.key)
	return p, nil
}

// skip reads a payload and forgets it.
func (in *intake) skip(n int) error {
	for {
		have := min(n, in.to-in.from)
		in.from += have
		if n -= have; n == 0 {
			return nil
		}
		if err := in.fill(0); err != nil {
			return err
		}
	}
}

// data handles a frame of a message.
func (in *intake) data(h header) error {
	w := in.wire
	if h.op != 0 {
		w.alive()
		in.op, in.limit, in.unwanted = h.op, w.reader.Limit(), !w.isOpen()
	}
	if !in.unwanted && h.length > in.limit-len(in.message) {
		in.unwanted = true
		w.reader.Ending()
		w.conn.Close(codeTooBig, "frame too big")
	}
	if in.unwanted {
		if err := in.skip(h.length); err != nil {
			return err
		}
	} else if err := in.wanted(h); err != nil {
		return err
	}
	if h.final {
		in.op, in.message = 0, in.message[:0]
	}
	return nil
}

// wanted takes in a frame of a message, which it hands on if that is the last one.
func (in *intake) wanted(h header) error {
	p, err := in.payload(h)
	if err != nil {
		return err
	}
	if !h.final || len(in.message) > 0 {
		in.message = append(in.message, p...)
		p = in.message
	}
	if h.final {
		in.wire.reader.Message(in.op == opText&opBits, p)
	}
	return nil
}

// control handles a ping, a pong or a close frame.
func (in *intake) control(h header) error {
	p, err := in.payload(h)
	if err != nil {
		return err
	}
	switch h.op {
	case opPing & opBits:
		in.wire.pong(p)
	case opPong & opBits:
		in.wire.alive()
	default:
		return in.wire.closeReceived(p)
	}
	return nil
}

// closeReceived answers the peer's close frame with the same.
func (w *Wire) closeReceived(p []byte) error {
	if err := checkClose(p); err != nil {
		return err
	}
	w.reader.Ending()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == wireOpen {
		w.finish(appendControl(nil, opClose, p), ErrGone)
	}
	return ErrGone
}

// checkClose judges the payload of a close frame (RFC 6455, sections 5.5.1 and 7.4).
func checkClose(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if len(p) == 1 {
		return CloseError{codeProtocol, "close code cut off"}
	}
	switch code := binary.BigEndian.Uint16(p); {
	case code < 1000, code > 4999, code > 1014 && code < 3000, code >= 1004 && code <= 1006:
		return CloseError{codeProtocol, "invalid close code"}
	case !utf8.Valid(p[2:]):
		return CloseError{codeNotUTF8, "invalid UTF-8"}
	}
	return nil
}

// intakes is a pool of intakes with buffers of their usual size.
type intakes struct{ pool sync.Pool }

func (p *intakes) get(w *Wire) *intake {
	if !w.mayPark() {
		return &intake{wire: w, buf: make([]byte, waitingBuffer)}
	}
	in, ok := p.pool.Get().(*intake)
	if !ok {
		in = &intake{buf: make([]byte, intakeBuffer)}
	}
	in.wire = w
	return in
}

func (p *intakes) put(in *intake) {
	if len(in.buf) == intakeBuffer && cap(in.message) <= intakeBuffer {
		*in = intake{buf: in.buf, message: in.message[:0]}
		p.pool.Put(in)
	}
}
