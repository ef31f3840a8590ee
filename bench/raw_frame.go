package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
)

// greet makes the handshake and says the greetings, byte by byte to the end of the
// last answer, so that nothing that comes after is lost.
func greet(conn net.Conn, url string, header http.Header, greetings []greeting) error {
	req, err := http.NewRequest(http.MethodGet, url+"/ws", nil) //nolint:noctx // the connection has a deadline
	if err != nil {
		return err
	}
	maps.Copy(req.Header, header)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		req.Header.Set(name, value)
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	r := bufio.NewReaderSize(conn, 64<<10)
	res, err := http.ReadResponse(r, req) //nolint:bodyclose // a connection that was upgraded
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the handshake is answered with %s", res.Status)
	}
	for _, g := range greetings {
		if _, err := conn.Write(clientFrame(1, []byte(g.say))); err != nil {
			return err
		}
		if err := await(r, g.await); err != nil {
			return err
		}
	}
	if r.Buffered() > 0 {
		return errors.New("the server says more than was asked")
	}
	return nil
}

// await reads whole frames up to one with that text.
func await(r *bufio.Reader, text string) error {
	for {
		head, err := r.Peek(2)
		if err != nil {
			return err
		}
		if n := headerLen(head); n > 2 {
			if head, err = r.Peek(n); err != nil {
				return err
			}
		}
		_, begin, size, _ := parseHeader(head)
		frame := make([]byte, begin+size)
		if _, err := io.ReadFull(r, frame); err != nil {
			return err
		}
		if bytes.Contains(frame, []byte(text)) {
			return nil
		}
	}
}

// clientFrame is a frame as clients send it: masked, with zeros, which leave the
// payload as it is.
func clientFrame(op byte, payload []byte) []byte {
	frame := []byte{0x80 | op, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	if len(payload) < 126 {
		frame = []byte{0x80 | op, 0x80 | byte(len(payload)), 0, 0, 0, 0}
	} else {
		binary.BigEndian.PutUint16(frame[2:], uint16(len(payload)))
	}
	return append(frame, payload...)
}

// headerLen is how long the header of a server's frame is that begins so.
func headerLen(two []byte) int {
	switch two[1] & 127 {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// parseHeader reads the header of a server's frame: its opcode, where the payload
// begins, and its size.
func parseHeader(b []byte) (op byte, begin, size int, ok bool) {
	if len(b) < 2 || len(b) < headerLen(b) {
		return 0, 0, 0, false
	}
	op = b[0] & 15
	switch begin = headerLen(b); begin {
	case 4:
		size = int(binary.BigEndian.Uint16(b[2:]))
	case 10:
		size = int(binary.BigEndian.Uint64(b[2:]))
	default:
		size = int(b[1] & 127)
	}
	return op, begin, size, true
}
