package door

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
)

// caller is one end of a connection whose other end does what the test says.
type caller struct {
	net.Conn
	from   string
	closed chan struct{}
	once   sync.Once
}

func (c *caller) RemoteAddr() net.Addr { return address(c.from) }

func (c *caller) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *caller) gone() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// come has a socket come from an address, with or without a port.
func come(t *testing.T, d *Door, from string) (*Socket, *caller) {
	t.Helper()
	if _, err := netip.ParseAddrPort(from); err != nil && from != "@" {
		from = netip.AddrPortFrom(netip.MustParseAddr(from), 1000).String()
	}
	near, far := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	c := &caller{Conn: near, from: from, closed: make(chan struct{})}
	s := d.admit(c)
	t.Cleanup(func() { _ = s.Close() })
	return s, c
}

func want(t *testing.T, what string, got, want bool) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v", what, got)
	}
}

// Whoever has waited longest leaves; whom the server works for, and live connections, stay.
func TestTheLongestWaitingLeaves(t *testing.T) {
	d := New(Config{Places: 4})
	live, liveConn := come(t, d, "192.0.2.1")
	live.begin()
	live.Keep()
	live.done()
	busy, busyConn := come(t, d, "192.0.2.1")
	busy.begin()
	_, oldest := come(t, d, "192.0.2.1")
	again, younger := come(t, d, "192.0.2.1")
	_, newcomer := come(t, d, "192.0.2.2")
	want(t, "the oldest has left", oldest.gone(), true)
	want(t, "another has left", younger.gone() || busyConn.gone() || liveConn.gone() || newcomer.gone(), false)
	busy.done() // waits from now on, for less long than the others
	again.begin()
	again.done()
	_, _ = come(t, d, "192.0.2.2")
	want(t, "whose request was answered last has left", younger.gone(), false)
	want(t, "whose request was answered before has left", busyConn.gone(), true)
	want(t, "the live connection has left", liveConn.gone(), false)
}

// An address that floods loses its own places, not those of others.
func TestTheHeaviestAddressLeaves(t *testing.T) {
	d := New(Config{Places: 40})
	var others, flood []*caller
	for i := range 20 {
		_, c := come(t, d, fmt.Sprint("192.0.2.", i))
		others = append(others, c)
	}
	for range 100 {
		_, c := come(t, d, "2001:db8:1:2::7")
		flood = append(flood, c)
	}
	_, late := come(t, d, "198.51.100.1")
	for _, c := range append(others, late) {
		want(t, c.from+" has left", c.gone(), false)
	}
	left := 0
	for _, c := range flood {
		if c.gone() {
			left++
		}
	}
	if left != 81 || !flood[0].gone() || flood[99].gone() {
		t.Errorf("%d of the flood have left", left)
	}
}

// Where all have as many, the longest waiting leaves, and not whoever has just come.
func TestTheLongestWaitingOfEqualsLeaves(t *testing.T) {
	d := New(Config{Places: 8})
	var all []*caller
	for i := range 30 {
		_, c := come(t, d, fmt.Sprint("192.0.2.", i))
		all = append(all, c)
	}
	for i, c := range all {
		want(t, c.from+" has left", c.gone(), i < 22)
	}
}

// Strangers leave before those who have said who they are.
func TestStrangersLeaveFirst(t *testing.T) {
	d := New(Config{Places: 3})
	known, knownConn := come(t, d, "192.0.2.1")
	known.begin()
	known.Known()
	known.done()
	_, stranger := come(t, d, "192.0.2.2")
	_, another := come(t, d, "192.0.2.3")
	busy, _ := come(t, d, "192.0.2.4")
	busy.begin()
	busy, _ = come(t, d, "192.0.2.4")
	busy.begin()
	want(t, "a stranger has left", stranger.gone() && another.gone(), true)
	want(t, "the known has left", knownConn.gone(), false)
	_, _ = come(t, d, "192.0.2.5")
	want(t, "the known has left, when nobody else waits", knownConn.gone(), true)
}

// Who has no place is told so, on spare ones, and counts nowhere else.
func TestWhoHasNoPlaceIsTurnedAway(t *testing.T) {
	d := New(Config{Places: 2})
	for range 2 {
		s, _ := come(t, d, "192.0.2.1")
		s.begin()
	}
	var away []*caller
	for range d.spare + 1 {
		s, c := come(t, d, "192.0.2.2")
		want(t, "has no place", s.Refused(), true)
		s.begin()
		s.Known()
		s.Waits()()
		s.done()
		away = append(away, c)
	}
	want(t, "the oldest of those has left", away[0].gone(), true)
	want(t, "the others have left", away[1].gone() || away[d.spare].gone(), false)
	if got := d.Stats(); got.Sockets != 2 || got.Refused != int64(d.spare)+1 || got.Closed != 0 {
		t.Errorf("%+v", got)
	}
}

// An address may hold so many and takes further places from itself; a proxy may hold all.
func TestAddressesAreBounded(t *testing.T) {
	home := func(at netip.Addr) string {
		if at.Is6() {
			return netip.PrefixFrom(at, 64).Masked().String()
		}
		return at.String()
	}
	d := New(Config{Places: 40, PerAddress: 4, Address: home, Proxy: func(at netip.Addr) bool { return at == netip.MustParseAddr("10.0.0.1") }})
	_, bystander := come(t, d, "192.0.2.1")
	for name, from := range map[string][]string{"IPv4": {"203.0.113.7", "[::ffff:203.0.113.7]:9"}, "IPv6": {"2001:db8::1", "2001:db8::2"}} {
		var first *caller
		for i := range 4 {
			s, c := come(t, d, from[i%2])
			want(t, name+" within the bound is refused", s.Refused(), false)
			if i == 0 {
				first = c
				continue
			}
			s.begin()
		}
		s, _ := come(t, d, from[1])
		want(t, name+": one more is refused", s.Refused(), false)
		want(t, name+": the first has left", first.gone(), true)
		s.begin()
		s, _ = come(t, d, from[0])
		want(t, name+": one more while all are at work is refused", s.Refused(), true)
	}
	want(t, "the bystander has left", bystander.gone(), false)
	for _, from := range []string{"10.0.0.1", "@"} { // a Unix socket has no address
		for range 10 {
			if s, _ := come(t, d, from); s.Refused() {
				t.Errorf("%s is refused", from)
			}
		}
	}
}

// What comes through a proxy counts for whom it is for, until it is answered.
func TestBehindAProxyTheClientCounts(t *testing.T) {
	d := New(Config{Places: 8, Proxy: func(at netip.Addr) bool { return at == netip.MustParseAddr("10.0.0.1") }})
	idle, idleConn := come(t, d, "10.0.0.1")
	idle.begin()
	idle.For("198.51.100.1")
	idle.Known()
	idle.done()
	honest, honestConn := come(t, d, "10.0.0.1")
	honest.begin()
	honest.For("198.51.100.2")
	honest.Waits()
	var slow []*caller
	for range 6 {
		s, c := come(t, d, "10.0.0.1")
		s.begin()
		s.For("203.0.113.7")
		s.Waits()
		slow = append(slow, c)
	}
	for i := range 5 {
		s, _ := come(t, d, "192.0.2.1")
		s.begin()
		want(t, "the slowest body has left", slow[i].gone(), true)
	}
	want(t, "a body of another has left", honestConn.gone(), false)
	want(t, "an idle connection of the proxy has left", idleConn.gone(), false)
}

// A peer that reads nothing holds no place against others.
func TestWhoDoesNotReadWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Config{Places: 1})
		s, c := come(t, d, "192.0.2.1")
		s.begin()
		failed := make(chan error, 1)
		go func() {
			_, err := s.Write([]byte("nobody reads this"))
			failed <- err
		}()
		synctest.Wait() // until the write has begun
		come(t, d, "192.0.2.2")
		want(t, "has left", c.gone(), true)
		_ = c.Close() // or a write that goes on would never end
		if <-failed == nil {
			t.Error("the write went on")
		}
	})
}

// Whatever happens, the counts are right and nothing is left behind.
func TestCountsAreRight(t *testing.T) {
	d := New(Config{Places: 16, PerAddress: 6, Proxy: func(at netip.Addr) bool { return at.Is4() && at.As4()[3] == 0 }})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	lot := rand.New(rand.NewPCG(seed, 0))
	var all []*Socket
	for range 20_000 {
		if len(all) == 0 || lot.IntN(4) == 0 {
			s, _ := come(t, d, fmt.Sprint("192.0.2.", lot.IntN(5)))
			all = append(all, s)
			continue
		}
		i := lot.IntN(len(all))
		switch s := all[i]; lot.IntN(8) {
		case 0:
			s.begin()
		case 1:
			s.done()
		case 2:
			s.Known()
		case 3:
			s.For(fmt.Sprint("198.51.100.", lot.IntN(3)))
		case 4:
			s.Waits()()
		case 5:
			if lot.IntN(9) == 0 {
				s.Keep()
			}
		default:
			_ = s.Close()
			all = append(all[:i], all[i+1:]...)
		}
		check(t, d)
	}
	for _, s := range all {
		_ = s.Close()
	}
	if len(d.groups) > 0 || len(d.order) > 0 || d.away.Len() > 0 || d.stats.Sockets != 0 {
		t.Errorf("left: %d addresses, %d in order, %d turned away, %d sockets", len(d.groups), len(d.order), d.away.Len(), d.stats.Sockets)
	}
}

func check(t *testing.T, d *Door) {
	t.Helper()
	sockets := 0
	for _, g := range d.groups {
		sockets += g.sockets
		if d.order[g.index] != g {
			t.Fatal("the order is not kept")
		}
		if d.order.Less(g.index, 0) {
			t.Fatal("the heaviest is not first")
		}
	}
	if sockets != d.stats.Sockets || sockets > d.cfg.Places || d.away.Len() > d.spare {
		t.Fatalf("%d sockets of addresses, %d in all, %d turned away", sockets, d.stats.Sockets, d.away.Len())
	}
}

// wrapped is a connection on top of another, as TLS is.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

// The socket of a request is found beneath whatever lies on top of it.
func TestSocketBeneathTLS(t *testing.T) {
	s, _ := come(t, New(Config{Places: 1}), "192.0.2.1")
	for _, c := range []net.Conn{s, wrapped{s}, wrapped{wrapped{s}}} {
		if Of(Context(t.Context(), c)) != s {
			t.Errorf("not found beneath %T", c)
		}
	}
	if Of(Context(t.Context(), wrapped{s.Conn})) != nil {
		t.Error("found where there is none")
	}
}
