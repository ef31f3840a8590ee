package peers

import (
	"context"
	"crypto/sha1" //nolint:gosec // the handshake demands it
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// rawBacklog bounds what waits for a client of raw, in bytes.
	rawBacklog = 1 << 20
	// rawLong and rawPause are those of the program: a round that took at least rawLong is
	// followed by a pause as long as that, of at most rawPause.
	rawLong  = time.Millisecond
	rawPause = 20 * time.Millisecond
	// rawIdle is how often the loop looks whether it shall end.
	rawIdle = 50 * time.Millisecond
)

// raw is the least that a server can do: one thread, epoll, and a write(2) of the same bytes to
// each socket. It keeps nothing and knows nobody, so that whatever another server takes on top of
// it is for what that server does. Coalesced, it gathers messages while it writes and rests as
// the program's pump does.
type raw struct {
	coalesced bool
	epoll     int
	buf       []byte

	mu    sync.Mutex
	conns map[int32]*rawConn

	pending []byte    // frames of the next round
	due     time.Time // before which it must not begin
}

// rawConn is one client.
type rawConn struct {
	fd      int
	in, out []byte // a frame whose end has not arrived; what the socket did not take
}

func newRaw(ctx context.Context, coalesced bool) (*raw, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	r := &raw{coalesced: coalesced, epoll: fd, buf: make([]byte, maxMessage+16), conns: map[int32]*rawConn{}}
	go r.run(ctx)
	return r, nil
}

// ServeHTTP makes the handshake and leaves the socket to the loop.
func (r *raw) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // which cannot be answered
	}
	defer func() { _ = conn.Close() }()                                                                   // its file lives on
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // the handshake demands it
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	if fd, err := detach(conn); err == nil {
		r.join(fd, []byte(answer))
	}
}

// detach returns a socket of its own for a connection that is about to be closed.
func detach(conn net.Conn) (int, error) {
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	return fd, unix.SetNonblock(fd, true)
}

func (r *raw) join(fd int, answer []byte) {
	c := &rawConn{fd: fd}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[int32(fd)] = c
	if unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}) != nil {
		r.leave(c)
		return
	}
	r.write(c, answer)
}

// leave must be called under the lock.
func (r *raw) leave(c *rawConn) {
	delete(r.conns, int32(c.fd))
	_ = unix.Close(c.fd) // which takes it out of epoll
}

// run is the loop, until ctx ends.
func (r *raw) run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { _ = unix.Close(r.epoll) }()
	events := make([]unix.EpollEvent, 256)
	for ctx.Err() == nil {
		n, err := unix.EpollWait(r.epoll, events, int(r.wait().Milliseconds()))
		if err != nil && err != unix.EINTR { //nolint:errorlint // an errno as it is
			return
		}
		r.turn(events[:max(n, 0)])
	}
}

// wait returns how long the loop may sleep.
func (r *raw) wait() time.Duration {
	if len(r.pending) == 0 {
		return rawIdle
	}
	return max(0, time.Until(r.due)+time.Millisecond-1) // whole milliseconds, none too few
}

func (r *raw) turn(events []unix.EpollEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		c := r.conns[e.Fd]
		if c == nil {
			continue // it left in this turn
		}
		if e.Events&unix.EPOLLOUT != 0 {
			r.flush(c)
		}
		if e.Events&^unix.EPOLLOUT != 0 {
			r.read(c)
		}
	}
	if began := time.Now(); len(r.pending) > 0 && !began.Before(r.due) {
		r.round()
		took := time.Since(began)
		if took < rawLong {
			took = 0
		}
		r.due = time.Now().Add(min(took, rawPause))
	}
}

// round writes what has gathered to everybody.
func (r *raw) round() {
	for _, c := range r.conns {
		r.write(c, r.pending)
	}
	r.pending = r.pending[:0]
}

// say passes a message on.
func (r *raw) say(message []byte) {
	r.pending = appendFrame(r.pending, message)
	if !r.coalesced {
		r.round()
	}
}

func (r *raw) write(c *rawConn, b []byte) {
	n := 0
	if len(c.out) == 0 {
		var err error
		if n, err = unix.Write(c.fd, b); err == unix.EAGAIN { //nolint:errorlint // an errno as it is
			n = 0
		} else if err != nil {
			r.leave(c)
			return
		}
		if n == len(b) {
			return
		}
		r.watch(c, unix.EPOLLIN|unix.EPOLLOUT)
	}
	if c.out = append(c.out, b[n:]...); len(c.out) > rawBacklog {
		r.leave(c)
	}
}

// flush writes what a socket did not take before.
func (r *raw) flush(c *rawConn) {
	n, err := unix.Write(c.fd, c.out)
	if err != nil {
		return // the reader learns what is wrong
	}
	if c.out = c.out[n:]; len(c.out) == 0 {
		c.out = nil
		r.watch(c, unix.EPOLLIN)
	}
}

func (r *raw) watch(c *rawConn, events uint32) {
	if unix.EpollCtl(r.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: events, Fd: int32(c.fd)}) != nil {
		r.leave(c)
	}
}
