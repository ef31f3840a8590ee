package peers

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// read takes in what a client has sent and passes its messages on.
func (r *raw) read(c *rawConn) {
	held := copy(r.buf, c.in)
	n, err := unix.Read(c.fd, r.buf[held:])
	if err == unix.EAGAIN || err == unix.EINTR { //nolint:errorlint // an errno as it is
		return
	}
	if err != nil || n <= 0 {
		r.leave(c)
		return
	}
	data := r.buf[:held+n]
	for {
		op, payload, rest, ok := clientFrame(data)
		if !ok {
			break
		}
		data = rest
		switch op {
		case 1, 2:
			r.say(payload)
		case 8:
			r.leave(c)
			return
		}
	}
	c.in = append(c.in[:0], data...)
	if len(c.in) > maxMessage {
		r.leave(c)
	}
}

// clientFrame returns the first frame of a client in b, unmasked in place, and what follows it;
// ok is false if its end is not there yet. It knows messages of less than 64 KiB in one frame.
func clientFrame(b []byte) (op byte, payload, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, b, false
	}
	size, at := int(b[1]&127), 2
	if size >= 126 {
		if len(b) < 4 {
			return 0, nil, b, false
		}
		size, at = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	if len(b) < at+4+size {
		return 0, nil, b, false
	}
	mask := b[at : at+4]
	payload = b[at+4 : at+4+size]
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	return b[0] & 15, payload, b[at+4+size:], true
}

// appendFrame appends a text frame of a server.
func appendFrame(b, payload []byte) []byte {
	if len(payload) < 126 {
		b = append(b, 0x81, byte(len(payload)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x81, 126), uint16(len(payload)))
	}
	return append(b, payload...)
}
