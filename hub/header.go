package hub

import (
	"encoding/binary"
	"math"
)

// Codes with which a wire is closed because of what its peer sent.
const (
	codeProtocol = 1002
	codeNotUTF8  = 1007
	codeTooBig   = 1009
)

// Parts of the first two bytes of a frame header (RFC 6455, section 5.2).
const (
	finalBit   = 0x80
	reserved3  = 0x70
	opBits     = 0x0F
	opBinary   = 0x02 // the last opcode of a message's first frame
	controlBit = 0x08
	maskBit    = 0x80
	maskBytes  = 4
)

// header is that of one of the peer's frames.
type header struct {
	op       byte
	final    bool
	reserved bool // a reserved bit is set
	masked   bool
	length   int // of the payload, -1 if no peer can mean it
	key      [maskBytes]byte
	size     int // of the header
}

// parseHeader reads the header with which b begins; ok is false while some of it is missing.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < 2 {
		return h, false
	}
	h = header{op: b[0] & opBits, final: b[0]&finalBit != 0, reserved: b[0]&reserved3 != 0, masked: b[1]&maskBit != 0, size: 2}
	h.length = int(b[1] &^ maskBit)
	switch h.length {
	case 126:
		h.size += 2
	case 127:
		h.size += 8
	}
	end := h.size
	if h.masked {
		h.size += maskBytes
	}
	if len(b) < h.size {
		return h, false
	}
	switch end {
	case 4:
		h.length = int(binary.BigEndian.Uint16(b[2:]))
	case 10:
		h.length = lengthOf(binary.BigEndian.Uint64(b[2:]))
	}
	copy(h.key[:], b[end:h.size])
	return h, true
}

func lengthOf(n uint64) int {
	if n > math.MaxInt {
		return -1
	}
	return int(n)
}

func (h header) isControl() bool { return h.op&controlBit != 0 }

// isWhole reports whether the frame is a message by itself.
func (h header) isWhole() bool { return h.final && h.op != 0 && h.op <= opBinary }

// check judges a header; begun means that a message has begun and not ended.
func (h header) check(begun bool) error {
	switch {
	case h.length < 0:
		return CloseError{codeProtocol, "invalid length"}
	case h.reserved:
		return CloseError{codeProtocol, "reserved bit set"}
	case !h.masked:
		return CloseError{codeProtocol, "frame without a mask"}
	case h.isControl() && (h.op > opPong&opBits):
		return CloseError{codeProtocol, "unknown opcode"}
	case h.isControl() && (!h.final || h.length > maxControl):
		return CloseError{codeProtocol, "control frame too long or in fragments"}
	case h.isControl():
		return nil
	case h.op > opBinary:
		return CloseError{codeProtocol, "unknown opcode"}
	case begun != (h.op == 0):
		return CloseError{codeProtocol, "fragments out of order"}
	}
	return nil
}

// unmask removes the mask of a whole payload, in place.
func unmask(p []byte, key [maskBytes]byte) {
	k := uint64(binary.LittleEndian.Uint32(key[:]))
	k |= k << 32
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= key[i%maskBytes]
	}
}
