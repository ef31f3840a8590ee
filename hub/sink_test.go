package hub

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// sink is an in-memory socket that accepts everything at once, or nothing while stuck.
type sink struct {
	mu       sync.Mutex
	changed  *sync.Cond
	in, out  bytes.Buffer
	stuck    bool
	closed   bool
	ended    bool // CloseWrite was called
	peerDone bool // the peer has ended its side
	readBy   time.Time
	writeBy  time.Time
}

func newSink() *sink {
	s := &sink{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.stuck && !s.closed && !past(s.writeBy) {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.stuck:
		return 0, os.ErrDeadlineExceeded
	case s.ended:
		return 0, errors.New("write after the end")
	}
	return s.out.Write(p)
}

func (s *sink) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && s.in.Len() == 0 && !s.peerDone && !past(s.readBy) {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case past(s.readBy):
	case s.in.Len() > 0:
		return s.in.Read(p)
	case s.peerDone:
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

func past(t time.Time) bool { return !t.IsZero() && !t.After(time.Now()) }

// set changes a field and wakes everybody, now and at a deadline.
func (s *sink) set(change func(), deadline time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.changed.Broadcast()
	if d := time.Until(deadline); !deadline.IsZero() && d > 0 {
		time.AfterFunc(d, s.changed.Broadcast)
	}
	return nil
}

func (s *sink) Close() error                       { return s.set(func() { s.closed = true }, time.Time{}) }
func (s *sink) CloseWrite() error                  { return s.set(func() { s.ended = true }, time.Time{}) }
func (s *sink) SetReadDeadline(t time.Time) error  { return s.set(func() { s.readBy = t }, t) }
func (s *sink) SetWriteDeadline(t time.Time) error { return s.set(func() { s.writeBy = t }, t) }
func (s *sink) stick(on bool)                      { _ = s.set(func() { s.stuck = on }, time.Time{}) }
func (s *sink) receive(p string)                   { _ = s.set(func() { s.in.WriteString(p) }, time.Time{}) }
func (s *sink) hangUp()                            { _ = s.set(func() { s.peerDone = true }, time.Time{}) }
func (s *sink) SetDeadline(time.Time) error        { return nil }
func (s *sink) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (s *sink) RemoteAddr() net.Addr               { return &net.TCPAddr{} }

func (s *sink) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func (s *sink) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}
