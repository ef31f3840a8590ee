//go:build linux && !portable

package hub

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// lot is an epoll set of parked sockets. The descriptor of the set is itself watched by the Go
// runtime, so that its goroutine waits without a thread. The runtime watches the sockets too, in
// its own set, and the two do not know of each other.
type lot struct {
	set    *os.File
	fd     int // of set, until it is closed
	raw    syscall.RawConn
	events [128]syscall.EpollEvent

	mu    sync.Mutex
	last  number // given last
	wires map[number]*Wire
}

func newLot() (*lot, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or os.NewFile would not watch it
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	l := &lot{set: os.NewFile(uintptr(fd), "epoll"), fd: fd, wires: make(map[number]*Wire)}
	if l.raw, err = l.set.SyscallConn(); err != nil {
		l.close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return l, nil
}

// mayPark reports whether the wire's socket can be watched. That of TLS, which has no raw form,
// cannot: bytes that have been decrypted already would not be noticed.
func (w *Wire) mayPark() bool { return w.raw != nil }

// run wakes wires until the lot is closed.
func (l *lot) run() {
	for {
		n, err := l.wait()
		if err != nil {
			return // closed
		}
		for _, e := range l.events[:n] {
			l.handle(e)
		}
	}
}

// wait returns how many events there are.
func (l *lot) wait() (n int, err error) {
	var failed error
	err = l.raw.Read(func(fd uintptr) bool {
		for {
			n, failed = syscall.EpollWait(int(fd), l.events[:], 0)
			if failed != syscall.EINTR {
				return n > 0 || failed != nil
			}
		}
	})
	if err == nil {
		err = failed
	}
	return n, err
}

func (l *lot) handle(e syscall.EpollEvent) {
	l.mu.Lock()
	w := l.wires[number{e.Fd, e.Pad}]
	l.mu.Unlock()
	if w != nil {
		w.wake()
	}
}

// enter gives a wire a number that no other ever has.
func (l *lot) enter(w *Wire) number {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = l.last.next()
	l.wires[l.last] = w
	return l.last
}

func (l *lot) leave(n number) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wires, n)
}

// watch reports the wire once, when its socket has something to read or had by now, its end
// included. A closed socket leaves the set by itself.
func (l *lot) watch(w *Wire, first bool) bool {
	op := syscall.EPOLL_CTL_MOD
	if first {
		op = syscall.EPOLL_CTL_ADD
	}
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT,
		Fd: w.spot.number.low, Pad: w.spot.number.high}
	var failed error
	err := w.raw.Control(func(fd uintptr) { failed = syscall.EpollCtl(l.fd, op, int(fd), &e) })
	return err == nil && failed == nil
}

func (l *lot) close() { _ = l.set.Close() }
