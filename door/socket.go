package door

import (
	"container/heap"
	"container/list"
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
)

// Socket is a connection with a place. It waits for its peer from the start, while
// nobody works on it. Its methods may be called concurrently; those that are not of
// net.Conn do nothing on a nil Socket.
type Socket struct {
	net.Conn
	door  *Door
	home  *group // of the address that it came from
	proxy bool
	kept  atomic.Bool // never to be closed for others

	// Guarded by the door.
	group    *group // of the address that it counts for while it waits
	list     *list.List
	at       *list.Element // in list; nil: it does not wait
	since    int64         // when it began to wait, by the door's clock
	known    bool
	refused  bool
	working  bool // a handler runs
	released bool
}

type socketKey struct{}

// Context is the ConnContext of an http.Server: it lets Of find the socket of a request.
func Context(ctx context.Context, c net.Conn) context.Context {
	for {
		if s, ok := c.(*Socket); ok {
			return context.WithValue(ctx, socketKey{}, s)
		}
		wrapped, ok := c.(interface{ NetConn() net.Conn }) // TLS, and what is beneath it
		if !ok {
			return ctx
		}
		c = wrapped.NetConn()
	}
}

// Of returns the socket of a request, nil if it did not come through a door.
func Of(ctx context.Context) *Socket {
	s, _ := ctx.Value(socketKey{}).(*Socket)
	return s
}

// Handler has sockets keep their places while next works on their requests, and ends
// those that are turned away after their answer.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := Of(r.Context())
		s.begin()
		defer s.done()
		if s.Refused() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// Refused reports whether the socket has no place: whatever it asks is to be refused.
func (s *Socket) Refused() bool { return s != nil && s.refused } // constant once admitted

// Known notes that whoever is at the other end has said who they are.
func (s *Socket) Known() {
	s.change(func() { s.known = true })
}

// For notes whom a proxy's socket serves until the end of the request.
func (s *Socket) For(address string) {
	if s == nil || !s.proxy {
		return
	}
	s.change(func() { s.move(s.door.group(address)) })
}

// Waits notes that the work needs something from the peer, until back is called.
func (s *Socket) Waits() (back func()) {
	s.change(s.wait)
	return func() {
		s.change(func() {
			if s.working {
				s.unwait()
			}
		})
	}
}

// Keep gives the socket its place for good, because a live connection begins.
func (s *Socket) Keep() {
	s.change(func() {
		s.kept.Store(true)
		s.unwait()
	})
}

func (s *Socket) begin() {
	s.change(func() {
		s.working = true
		if s.proxy {
			s.known = false // the next request is somebody else's
		}
		s.unwait()
	})
}

func (s *Socket) done() {
	s.change(func() {
		s.working = false
		s.move(s.home)
		s.wait()
	})
}

// change runs do under the lock, unless the socket has lost its place.
func (s *Socket) change(do func()) {
	if s == nil {
		return
	}
	s.door.mu.Lock()
	defer s.door.mu.Unlock()
	if !s.released && !s.refused {
		do()
	}
}

// move changes the address for which the socket counts; it no longer waits.
func (s *Socket) move(to *group) {
	s.unwait()
	s.door.enter(to)
	s.door.leave(s.group)
	s.group = to
}

// wait puts the socket behind those that wait. A proxy keeps connections open for the
// requests of others, so one without a request is no stranger's.
func (s *Socket) wait() {
	s.unwait()
	if s.kept.Load() {
		return
	}
	s.list = &s.group.strangers
	if s.known || s.proxy && !s.working {
		s.list = &s.group.known
	}
	s.door.clock++
	s.since = s.door.clock
	s.at = s.list.PushBack(s)
	heap.Fix(&s.door.order, s.group.index)
}

func (s *Socket) unwait() {
	if s.at == nil {
		return
	}
	s.list.Remove(s.at)
	s.at = nil
	if !s.refused {
		heap.Fix(&s.door.order, s.group.index)
	}
}

// release gives up the place.
func (s *Socket) release() {
	if s.released {
		return
	}
	s.released = true
	s.unwait()
	if !s.refused {
		s.home.sockets--
		s.door.stats.Sockets--
	}
	s.door.leave(s.group)
	s.door.leave(s.home)
}

// Write waits for the peer once the network takes nothing more.
func (s *Socket) Write(p []byte) (int, error) {
	if s.kept.Load() {
		return s.Conn.Write(p)
	}
	taken, err := s.writeNow(p)
	if err != nil || taken == len(p) && taken > 0 {
		return taken, err
	}
	defer s.Waits()()
	n, err := s.Conn.Write(p[taken:])
	return taken + n, err
}

// Close closes the connection and gives up its place.
func (s *Socket) Close() error {
	err := s.Conn.Close()
	s.door.mu.Lock()
	defer s.door.mu.Unlock()
	s.release()
	return err
}

// CloseWrite ends the writing side, if the connection has sides.
func (s *Socket) CloseWrite() error {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn gives access to the descriptor, if the connection has one.
func (s *Socket) SyscallConn() (syscall.RawConn, error) {
	if c, ok := s.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
