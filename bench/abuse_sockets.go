package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fechatter/client"
)

// idleSockets opens twice as many sockets as the node may have files and keeps them, each
// in one of the ways in which a socket can wait: an idle keep-alive, half a head, half a
// body, a WebSocket that does not authenticate.
func (a *arena) idleSockets(ctx context.Context, t *attempts) {
	host := strings.TrimPrefix(a.url, "http://")
	waits := []string{
		"GET /livez HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: " + host + "\r\nX-Half: ",
		"POST /api/v1/sessions HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"GET /ws HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
	}
	t.work(ctx, 2*a.files, func(ctx context.Context, i int) error {
		conn, err := a.dial(ctx, "127.0.0.2") // not the proxy: this machine is an attacker's
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, waits[i%len(waits)]); err != nil {
			return err
		}
		return untilClosed(conn)
	})
}

// untilClosed reads what a server says until it closes, and returns its refusal if it was
// one.
func untilClosed(conn net.Conn) error {
	said, err := io.ReadAll(io.LimitReader(conn, 1<<20))
	if err != nil {
		return err
	}
	_, status, _ := strings.Cut(strings.SplitN(string(said), "\r\n", 2)[0], " ")
	if code, err := strconv.Atoi(strings.SplitN(status, " ", 2)[0]); err == nil && code >= http.StatusBadRequest {
		return &client.Problem{Status: code, Code: status}
	}
	return io.EOF
}

// dial opens a socket that is closed when ctx ends. If the node is on this machine, it
// comes from that address.
func (a *arena) dial(ctx context.Context, from string) (net.Conn, error) {
	u, err := url.Parse(a.url)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 10 * time.Second}
	if strings.HasPrefix(u.Host, "127.") {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = conn.Close() })
	}
	return conn, err
}

// controlFrames opens WebSockets and writes pings and empty fragments into them as fast as
// they take them, until the server closes.
func (a *arena) controlFrames(ctx context.Context, t *attempts, authenticated bool) {
	pings := strings.Repeat(string(clientFrame(9, nil)), 1000)
	const first, empty = "\x01\x81\x00\x00\x00\x00{", "\x00\x80\x00\x00\x00\x00" // of a text that never ends
	fragments := first + strings.Repeat(empty, 1000)
	t.work(ctx, 4, func(ctx context.Context, i int) error {
		u := a.account(i)
		via, _ := u.HTTP.Transport.(forwarded)
		header, greetings := http.Header{"X-Forwarded-For": {via.address}}, []greeting(nil)
		if authenticated {
			header.Set("Authorization", "Bearer "+u.Token)
			greetings = []greeting{{`{"id":"r","op":"resume","d":{"cursors":{}}}`, `"op":"ready"`}}
		}
		conn, err := a.dial(ctx, "127.0.0.1")
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if err := greet(conn, a.url, header, greetings); err != nil {
			return err
		}
		said := []string{pings, fragments}[i/attackers%2]
		go func() {
			for {
				if _, err := io.WriteString(conn, said); err != nil {
					return // closed, and the reader says why
				}
				said = strings.TrimPrefix(said, first)
			}
		}()
		return readClose(bufio.NewReader(conn))
	})
}

// readClose reads frames up to the server's farewell and returns its code.
func readClose(r *bufio.Reader) error {
	for {
		op, payload, err := readFrame(r)
		if err != nil {
			return err
		}
		if op == 8 && len(payload) >= 2 {
			return closed(int(payload[0])<<8 | int(payload[1]))
		}
	}
}
