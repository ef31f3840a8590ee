package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// rawClient is many WebSockets in one thread over epoll, which costs less than any server
// that it measures: it reads frames in place and decodes only the stamps in them.
type rawClient struct {
	epoll int
	mu    sync.Mutex // for conns
	conns map[int32]*rawConn
	buf   []byte
	seen  func(stamp, time.Time, *rawConn)

	dropped int // connections that the server has ended while the loop ran
}

// rawConn is one WebSocket. Once the loop runs it belongs to the loop; write may be called
// concurrently.
type rawConn struct {
	fd     int
	rest   []byte // the beginning of a frame whose end has not arrived
	parts  []byte // of a message in several frames, the last of which has not arrived
	sender int    // which of the senders it is, from 1; 0: none
	last   []int  // the number of the last stamp of each sender
}

// greeting is what a client says after the handshake, and a part of the answer that it
// waits for.
type greeting struct{ say, await string }

func newRawClient(seen func(stamp, time.Time, *rawConn)) (*rawClient, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &rawClient{epoll: fd, conns: map[int32]*rawConn{}, buf: make([]byte, 256<<10), seen: seen}, err
}

// dial opens one WebSocket. It may be called while the loop runs.
func (c *rawClient) dial(ctx context.Context, url string, header http.Header, greetings []greeting) (*rawConn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // its file lives on
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
	c.mu.Lock()
	c.conns[int32(fd)] = raw
	c.mu.Unlock()
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
			c.mu.Lock()
			conn := c.conns[e.Fd]
			c.mu.Unlock()
			if c.read(conn) != nil {
				c.drop(e.Fd)
			}
		}
	}
	return nil
}

// drop forgets a connection that the server has ended.
func (c *rawClient) drop(fd int32) {
	c.dropped++
	_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, int(fd), nil) // closed in the end: a sender may be writing
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
		if err := c.receive(conn, op, data[0] >= 0x80, data[begin:begin+size], now); err != nil {
			return err
		}
		data = data[begin+size:]
	}
	conn.rest = append(conn.rest[:0], data...)
	return nil
}

func (c *rawClient) receive(conn *rawConn, op byte, final bool, payload []byte, now time.Time) error {
	switch op {
	case 8:
		return fmt.Errorf("the server closes: %q", payload)
	case 9:
		return conn.write(clientFrame(10, payload))
	}
	if !final || op == 0 {
		conn.parts = append(conn.parts, payload...)
		payload = conn.parts
	}
	if !final {
		return nil
	}
	conn.parts = conn.parts[:0]
	for s, rest, ok := nextStamp(payload); ok; s, rest, ok = nextStamp(rest) {
		c.seen(s, now, conn)
	}
	return nil
}

// write waits for a server that does not read, but not for long. A server that has ended the
// connection is no error: the loop counts that.
func (c *rawConn) write(frame []byte) error {
	for len(frame) > 0 {
		n, err := unix.Write(c.fd, frame)
		switch {
		case errors.Is(err, unix.EAGAIN):
			if err := c.writable(); err != nil {
				return err
			}
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
			return nil
		case err != nil:
			return err
		}
		frame = frame[max(0, n):]
	}
	return nil
}

func (c *rawConn) writable() error {
	const patience = 20_000 // ms
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLOUT}}, patience)
	if err == nil && n == 0 {
		err = errors.New("the server does not read")
	}
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	return err
}

func (c *rawClient) close() {
	for _, conn := range c.conns {
		_ = unix.Close(conn.fd)
	}
	_ = unix.Close(c.epoll)
}
