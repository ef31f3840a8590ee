//go:build linux && !portable

package hub

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pairs returns what makes both ends of TCP connections.
func pairs(t *testing.T) func() (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return func() (near, far *net.TCPConn) {
		t.Helper()
		a, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		return b.(*net.TCPConn), a.(*net.TCPConn)
	}
}

// sleeper is a connection whose wire parks in a lot that the test drives by hand.
type sleeper struct {
	*client
	peer  *net.TCPConn
	heard chan string
}

func (s *sleeper) Limit() int               { return longest }
func (s *sleeper) Message(_ bool, p []byte) { s.heard <- string(p) }
func (s *sleeper) Ending()                  {}

func (n *node) sleeper(t *testing.T, l *lot) *sleeper {
	t.Helper()
	ours, theirs := pairs(t)()
	return n.asleep(t, l, ours, theirs)
}

func (n *node) asleep(t *testing.T, l *lot, ours, theirs *net.TCPConn) *sleeper {
	t.Helper()
	s := &sleeper{peer: theirs, heard: make(chan string, 16)}
	s.client = &client{n: n, wire: n.hub.NewWire(ours, nil), owner: &owner{}}
	s.conn = n.hub.Register(s.wire, WebSocket, "u", s.owner)
	s.wire.reader = s
	s.wire.spot = spot{l, l.enter(s.wire)}
	if !l.watch(s.wire, true) {
		t.Fatal("the socket cannot be watched")
	}
	return s
}

// park parks the wire as its reader does when it has handled everything.
func (s *sleeper) park(t *testing.T) {
	t.Helper()
	if !s.wire.park() {
		t.Fatal("the wire cannot be parked")
	}
}

func (s *sleeper) say(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.peer, masked(1, text)); err != nil {
		t.Fatal(err)
	}
}

func (s *sleeper) hears(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-s.heard:
		if got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	case <-time.After(hang):
		t.Errorf("%q was not heard", want)
	}
}

func (s *sleeper) isParked() bool {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	return s.wire.parked
}

func descriptor(t *testing.T, nc *net.TCPConn) (fd uintptr) {
	t.Helper()
	raw, err := nc.SyscallConn()
	if err == nil {
		err = raw.Control(func(f uintptr) { fd = f })
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// byHand returns a lot that nobody runs.
func byHand(t *testing.T) *lot {
	t.Helper()
	l, err := newLot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

// taken waits for events and returns them.
func (l *lot) taken(t *testing.T) []syscall.EpollEvent {
	t.Helper()
	if err := l.set.SetReadDeadline(time.Now().Add(hang)); err != nil {
		t.Fatal(err)
	}
	n, err := l.wait()
	if err != nil {
		t.Fatal(err)
	}
	return append([]syscall.EpollEvent(nil), l.events[:n]...)
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// While nothing comes no goroutine reads; whatever comes is handled, and then none does again.
func TestIdleConnectionsHaveNoReader(t *testing.T) {
	n := start(t, Config{}, nil)
	srv, conns := n.serve(false)
	var peers []*peer
	var all []*served
	for range 40 {
		peers = append(peers, dial(t, srv, "u", ""))
		all = append(all, <-conns)
	}
	for round := range 3 {
		until(t, func() bool { return n.hub.Stats().Parked == int64(len(all)) })
		until(t, func() bool { return !strings.Contains(stacks(), "hub.(*Wire).readOn(") })
		for i, p := range peers {
			p.send(masked(1, "hello"))
			select {
			case got := <-all[i].texts:
				if got != "hello" {
					t.Errorf("round %d: heard %q", round, got)
				}
			case <-time.After(hang):
				t.Fatalf("round %d: heard nothing", round)
			}
			p.send(masked(9, "there?") + masked(10, ""))
			p.want(10, "there?")
		}
	}
	for i, p := range peers {
		if i%2 == 0 { // both sides of an idle connection may end it
			p.nc.Close()
		} else {
			all[i].conn.Close(4000, "drain")
			p.want(8, "\x0f\xa0drain")
			p.answerClose()
			p.wantEnd()
		}
		<-all[i].closed
	}
	if s := n.hub.Stats(); s.Parked != 0 || s.Connections != 0 {
		t.Errorf("%d are parked of %d", s.Parked, s.Connections)
	}
	for _, l := range n.hub.parking.lots {
		if l.mu.Lock(); len(l.wires) != 0 {
			t.Errorf("a lot holds %d wires that have ended", len(l.wires))
		}
		l.mu.Unlock()
	}
}

// TLS hides what has come: its readers wait.
func TestTLSIsNotParked(t *testing.T) {
	n := start(t, Config{}, nil)
	srv, conns := n.serve(true)
	p := dial(t, srv, "u", "")
	s := <-conns
	p.send(masked(1, "a") + masked(1, "b"))
	for _, want := range []string{"a", "b"} {
		if got := <-s.texts; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
	if s.conn.wire.mayPark() {
		t.Error("it may be parked")
	}
}

// What comes after a reader has found nothing and before its wire is parked wakes it.
func TestBytesBeforeParkingAreNotLost(t *testing.T) {
	n, l := start(t, Config{}, nil), byHand(t)
	s := n.sleeper(t, l)
	s.say(t, "in between")
	l.taken(t) // reported before anybody was parked, which wakes nobody
	s.park(t)
	for _, e := range l.taken(t) {
		l.handle(e)
	}
	s.hears(t, "in between")
}

// What is reported while the wire is being parked waits until it is.
func TestEventWhileParking(t *testing.T) {
	n, l := start(t, Config{}, nil), byHand(t)
	s := n.sleeper(t, l)
	s.wire.mu.Lock() // as park does; the socket is watched by now
	s.say(t, "just now")
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, _ := l.wait()
		for _, e := range l.events[:n] {
			l.handle(e)
		}
	}()
	until(t, func() bool {
		select {
		case <-done: // it did not wait
			return true
		default:
			return strings.Contains(stacks(), "hub.(*Wire).wake(")
		}
	})
	s.wire.parked = true
	n.hub.stats.parked.Add(1)
	s.wire.mu.Unlock()
	<-done
	if s.isParked() && len(s.heard) == 0 { // once it has read, it parks again
		t.Fatal("the event is lost")
	}
	s.hears(t, "just now")
}

// An event of a connection that has ended wakes nobody, whoever has its descriptor by now.
func TestDescriptorIsUsedAgain(t *testing.T) {
	n, l := start(t, Config{}, nil), byHand(t)
	connect := pairs(t)
	ours, theirs := connect()
	old, fd := n.asleep(t, l, ours, theirs), descriptor(t, ours)
	old.park(t)
	old.say(t, "too late")
	late := l.taken(t)
	old.conn.CloseNow()
	until(t, func() bool { return old.wire.raw.Control(func(uintptr) {}) != nil })
	for ours, theirs = connect(); descriptor(t, ours) != fd; ours, theirs = theirs, ours {
		if descriptor(t, theirs) != fd { // neither: others of lower numbers were free
			theirs, ours = connect()
		}
	}
	s := n.asleep(t, l, ours, theirs)
	s.park(t)
	for _, e := range late {
		l.handle(e)
	}
	if !s.isParked() {
		t.Error("somebody else's event has woken the wire")
	}
	s.say(t, "mine")
	for _, e := range l.taken(t) {
		l.handle(e)
	}
	s.hears(t, "mine")
}

// A wire that ends is read no more, whether its event was taken already or its reader begins.
func TestCloseWhileWaking(t *testing.T) {
	n, l := start(t, Config{}, nil), byHand(t)
	for _, closedFirst := range []bool{true, false} {
		s := n.sleeper(t, l)
		s.park(t)
		s.say(t, "hello")
		events := l.taken(t)
		if closedFirst {
			s.conn.CloseNow()
		}
		for _, e := range events {
			l.handle(e)
		}
		s.conn.CloseNow()
		until(t, func() bool { return n.hub.Stats().Connections == 0 })
		if closedFirst && len(s.heard) > 0 {
			t.Error("a closed connection was read")
		}
		if s.wire.park() || s.isParked() || n.hub.Stats().Parked != 0 {
			t.Error("a closed connection is parked")
		}
	}
}

// Connections that come, talk and go at once leave nothing behind.
func TestComingAndGoing(t *testing.T) {
	n := start(t, Config{}, nil)
	srv, conns := n.serve(false)
	var all sync.WaitGroup
	for i := range 60 {
		p := dial(t, srv, "u", masked(1, "early"))
		s := <-conns
		all.Go(func() {
			for range 2 {
				select {
				case <-s.texts:
				case <-s.closed:
				}
			}
			s.conn.Close(1012, "restart")
		})
		all.Go(func() {
			_, _ = io.WriteString(p.nc, masked(1, "late")) // the server may have closed
			if i%3 == 0 {
				p.nc.Close()
				return
			}
			if f, err := p.next(); err == nil && (f.op != 8 || !bytes.HasPrefix(f.payload, []byte{0x03, 0xf4})) {
				t.Errorf("got %v", f)
			}
			p.answerClose()
			p.wantEnd()
		})
	}
	all.Wait()
	until(t, func() bool { s := n.hub.Stats(); return s.Connections == 0 && s.Parked == 0 })
}

// Parked connections leave as soon as their clients answer, and those that do not answer in time.
func TestParkedConnectionsAreDrained(t *testing.T) {
	n := start(t, Config{CloseTimeout: hang}, nil)
	srv, conns := n.serve(false)
	var all sync.WaitGroup
	for range 20 {
		p := dial(t, srv, "u", "")
		s := <-conns
		until(t, func() bool { return n.hub.Stats().Parked > 0 && s.isParked() })
		s.conn.Close(1012, "restart")
		all.Go(func() {
			p.want(8, "\x03\xf4restart")
			p.answerClose()
			p.wantEnd()
		})
		select {
		case <-s.closed:
		case <-time.After(hang / 2):
			t.Fatal("the answer was not read")
		}
	}
	all.Wait()
}

func (s *served) isParked() bool {
	w := s.conn.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.parked
}
