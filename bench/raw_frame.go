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

	"fechatter/client"
)

// greet makes the handshake and says the greetings. It reads byte by byte up to the end
// of the last answer, so that nothing after that is lost.
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
	res, err := http.ReadResponse(r, req) //nolint:bodyclose // an upgraded connection
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the handshake: %w", &client.Problem{Status: res.StatusCode, Code: res.Status})
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

// await reads frames up to one with that text.
func await(r *bufio.Reader, text string) error {
	for {
		_, payload, err := readFrame(r)
		if err != nil {
			return err
		}
		if bytes.Contains(payload, []byte(text)) {
			return nil
		}
	}
}

// clientFrame is a frame as clients send it: masked, but with zeros, which leave the
// payload unchanged.
func clientFrame(op byte, payload []byte) []byte {
	frame := []byte{0x80 | op, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	if len(payload) < 126 {
		frame = []byte{0x80 | op, 0x80 | byte(len(payload)), 0, 0, 0, 0}
	} else {
		binary.BigEndian.PutUint16(frame[2:], uint16(len(payload)))
	}
	return append(frame, payload...)
}

// headerLen is the length of the header of a server's frame, by its first bytes.
func headerLen(two []byte) int {
	switch two[1] & 127 {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// parseHeader reads the header of a server's frame: the opcode, and where the payload
// begins and how long it is.
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

// readFrame reads one frame of a server.
func readFrame(r *bufio.Reader) (op byte, payload []byte, err error) {
	head, err := r.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	if n := headerLen(head); n > 2 {
		if head, err = r.Peek(n); err != nil {
			return 0, nil, err
		}
	}
	op, begin, size, _ := parseHeader(head)
	frame := make([]byte, begin+size)
	if _, err := io.ReadFull(r, frame); err != nil {
		return 0, nil, err
	}
	return op, frame[begin:], nil
}
