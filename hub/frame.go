package hub

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// Format is how documents are framed on a connection.
type Format uint8

const (
	// WebSocket frames a document as one unmasked text message.
	WebSocket Format = iota
	// SSE frames a document as one event block.
	SSE
)

// WebSocket opcodes (RFC 6455, section 5.2), with the final bit set.
const (
	opText  = 0x81
	opClose = 0x88
	opPing  = 0x89
	opPong  = 0x8A
)

// maxControl is the largest payload of a control frame.
const maxControl = 125

// appendDocument appends one document in the given format.
func appendDocument(b []byte, f Format, op string, data []byte) []byte {
	if f == SSE {
		return appendBlock(b, op, data)
	}
	return appendText(b, data)
}

// appendText appends a WebSocket text frame as a server sends it: final, unmasked, with the
// shortest length form.
func appendText(b, data []byte) []byte {
	switch n := len(data); {
	case n <= maxControl:
		b = append(b, opText, byte(n))
	case n <= 0xFFFF:
		b = append(b, opText, 126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, opText, 127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return append(b, data...)
}

// appendControl appends a control frame; a payload over 125 bytes is cut.
func appendControl(b []byte, op byte, payload []byte) []byte {
	n := min(len(payload), maxControl)
	b = append(b, op, byte(n))
	return append(b, payload[:n]...)
}

// closeFrame returns a close frame; a reason over 123 bytes is cut.
func closeFrame(code uint16, reason string) []byte {
	p := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), code)
	p = append(p, reason...)
	return appendControl(make([]byte, 0, len(p)+2), opClose, p)
}

// appendBlock appends an SSE event block. A line break of any kind in data begins another data
// line, which the client joins with a line feed.
func appendBlock(b []byte, op string, data []byte) []byte {
	b = append(b, "event: "...)
	b = append(b, op...)
	b = append(b, '\n')
	for {
		i := bytes.IndexAny(data, "\r\n")
		if i < 0 {
			break
		}
		b = appendDataLine(b, data[:i])
		if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
			i++
		}
		data = data[i+1:]
	}
	b = appendDataLine(b, data)
	return append(b, '\n')
}

func appendDataLine(b, line []byte) []byte {
	b = append(b, "data: "...)
	b = append(b, line...)
	return append(b, '\n')
}

// maxPooled is the largest buffer, in bytes, that is kept for reuse.
const maxPooled = 256 << 10

// buffer is a reusable byte slice.
type buffer struct{ b []byte }

// buffers is a pool of buffers.
type buffers struct{ pool sync.Pool }

func (p *buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{}
}

// ensure returns b, or a buffer from the pool if b is nil.
func (p *buffers) ensure(b *buffer) *buffer {
	if b == nil {
		return p.get()
	}
	return b
}

// put returns a buffer to the pool; nil is allowed. Nobody may still hold its bytes.
func (p *buffers) put(b *buffer) {
	if b == nil || cap(b.b) > maxPooled {
		return
	}
	b.b = b.b[:0]
	p.pool.Put(b)
}
