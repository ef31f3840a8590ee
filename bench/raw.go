package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// rawClient is many WebSockets in one thread over epoll, which costs less than any
// server it measures: frames are read where they lie, and nothing is decoded but
// the stamps in them.
type rawClient struct {
	epoll int
	conns map[int32]*rawConn
	buf   []byte
	seen  func(stamp, time.Time, *rawConn)
}

// rawConn is one WebSocket. It is the loop's alone once the loop runs; write may
// be called beside it.
type rawConn struct {
	fd   int
	rest []byte // the beginning of a frame whose end has not come
	last int    // the number of the last stamp
}

// greeting is what a client says after the handshake, and a part of the answer
// that it waits for.
type greeting struct{ say, await string }

func newRawClient(seen func(stamp, time.Time, *rawConn)) (*rawClient, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &rawClient{epoll: fd, conns: map[int32]*rawConn{}, buf: make([]byte, 256<<10), seen: seen}, err
}

// dial opens one WebSocket; not while the loop runs.
func (c *rawClient) dial(ctx context.Context, url string, header http.Header, greetings []greeting) (*rawConn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // its file goes on
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if err := greet(conn, url, header, greetings); err != nil {
		return nil, err
	}
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	raw := &rawConn{fd: fd}
	c.conns[int32(fd)] = raw
	return raw, errors.Join(unix.SetNonblock(fd, true),
		unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
}

// run reads until ctx ends.
func (c *rawClient) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, 512)
	for ctx.Err() == nil {
		n, err := unix.EpollWait(c.epoll, events, 50)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			if err := c.read(c.conns[e.Fd]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *rawClient) read(conn *rawConn) error {
	held := copy(c.buf, conn.rest)
	n, err := unix.Read(conn.fd, c.buf[held:])
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil
	case err != nil:
		return err
	case n == 0:
		return errors.New("the server has closed a connection")
	}
	now, data := time.Now(), c.buf[:held+n]
	for {
		op, begin, size, ok := parseHeader(data)
		if !ok || len(data) < begin+size {
			break
		}
		if err := c.take(conn, op, data[begin:begin+size], now); err != nil {
			return err
		}
		data = data[begin+size:]
	}
	conn.rest = append(conn.rest[:0], data...)
	return nil
}

func (c *rawClient) take(conn *rawConn, op byte, payload []byte, now time.Time) error {
	switch op {
	case 8:
		return fmt.Errorf("the server closes: %q", payload)
	case 9:
		return conn.write(clientFrame(10, payload))
	}
	for s, rest, ok := nextStamp(payload); ok; s, rest, ok = nextStamp(rest) {
		c.seen(s, now, conn)
	}
	return nil
}

func (c *rawConn) write(frame []byte) error {
	n, err := unix.Write(c.fd, frame)
	if err == nil && n < len(frame) {
		err = errors.New("the server does not read")
	}
	return err
}

func (c *rawClient) close() {
	for _, conn := range c.conns {
		_ = unix.Close(conn.fd)
	}
	_ = unix.Close(c.epoll)
}
