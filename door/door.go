package door

import (
	"container/heap"
	"container/list"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// Config bounds the sockets of one listener.
type Config struct {
	// Places is how many sockets may be open at once; at least 1.
	Places int
	// PerAddress is how many of them one address may hold. 0: no limit.
	PerAddress int
	// Address names what is bounded and loses its places as one: a machine, a home. nil:
	// each address by itself.
	Address func(netip.Addr) string
	// Proxy reports whether the sockets of an address carry other people's requests: it
	// may hold all places. nil: no address is a proxy's.
	Proxy func(netip.Addr) bool
}

// Stats are the counts of a door.
type Stats struct {
	Places  int   // that there are
	Sockets int   // open now, without those that are being turned away
	Closed  int64 // closed for others, since the start
	Refused int64 // turned away, since the start
}

// Door admits sockets. It is safe for concurrent use.
type Door struct {
	cfg   Config
	spare int // places for those who are turned away

	mu     sync.Mutex
	groups map[string]*group
	order  heaviest
	clock  int64     // counts waits
	away   list.List // sockets that are being turned away, the oldest first
	stats  Stats
}

// group is what one address has.
type group struct {
	address   string
	index     int       // in the order
	refs      int       // sockets that point here
	sockets   int       // that count for its limit
	strangers list.List // waiting sockets, the longest waiting first
	known     list.List // the same, of whoever has said who they are
}

// New returns a door with all places free.
func New(cfg Config) *Door {
	return &Door{cfg: cfg, spare: max(8, cfg.Places/32), groups: map[string]*group{}, stats: Stats{Places: cfg.Places}}
}

// Most returns how many sockets may be open at once, those that are turned away included.
func (d *Door) Most() int { return d.cfg.Places + d.spare }

// Stats returns the counts as they are now.
func (d *Door) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Listen returns l with every connection that it accepts admitted by the door.
func (d *Door) Listen(l net.Listener) net.Listener { return &listener{l, d} }

type listener struct {
	net.Listener
	door *Door
}

// Accept makes room if the process has run out of descriptors all the same: whoever
// serves asks again.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.door.relieve()
	}
	if err != nil {
		return nil, err
	}
	return l.door.admit(c), nil
}

// relieved is how many leave when the process has run out of descriptors.
const relieved = 8

func (d *Door) relieve() {
	var closing []*Socket
	d.mu.Lock()
	for range relieved {
		closing = append(closing, d.makeRoom()...)
	}
	d.mu.Unlock()
	closeAll(closing)
}

// admit gives a connection a place, if necessary another's, or marks it to be turned
// away.
func (d *Door) admit(c net.Conn) *Socket {
	address, proxy := d.whose(c)
	var closing []*Socket
	d.mu.Lock()
	defer func() {
		d.mu.Unlock()
		closeAll(closing)
	}()
	s := &Socket{Conn: c, door: d, proxy: proxy, home: d.group(address)}
	s.group = d.enter(s.home)
	d.enter(s.home)
	if d.isFull(s) {
		closing = d.takeFrom(s.home)
	} else if d.stats.Sockets >= d.cfg.Places {
		closing = d.makeRoom()
	}
	if d.stats.Sockets >= d.cfg.Places || d.isFull(s) {
		return d.turnAway(s, &closing)
	}
	d.stats.Sockets++
	s.home.sockets++
	s.wait()
	return s
}

// turnAway gives s a spare place, that of the oldest there if need be.
func (d *Door) turnAway(s *Socket, closing *[]*Socket) *Socket {
	d.stats.Refused++
	if oldest := d.away.Front(); oldest != nil && d.away.Len() >= d.spare {
		*closing = append(*closing, d.evict(oldest))
	}
	s.refused, s.list = true, &d.away
	s.at = d.away.PushBack(s)
	return s
}

// isFull reports whether the address of s has as many sockets as it may have.
func (d *Door) isFull(s *Socket) bool {
	return d.cfg.PerAddress > 0 && !s.proxy && s.home.sockets >= d.cfg.PerAddress
}

// makeRoom takes the place of whoever has waited longest at the address with most
// waiting strangers, or with most others who wait where there are no strangers.
func (d *Door) makeRoom() []*Socket {
	if len(d.order) == 0 {
		return nil
	}
	return d.takeFrom(d.order[0])
}

// takeFrom takes the place of whoever has waited longest at an address, if anybody does.
func (d *Door) takeFrom(g *group) []*Socket {
	at := g.strangers.Front()
	if at == nil {
		at = g.known.Front()
	}
	if at == nil {
		return nil
	}
	d.stats.Closed++
	return []*Socket{d.evict(at)}
}

// evict takes the place of a socket, which the caller closes without the lock.
func (d *Door) evict(at *list.Element) *Socket {
	s, _ := at.Value.(*Socket)
	s.release()
	return s
}

func closeAll(sockets []*Socket) {
	for _, s := range sockets {
		_ = s.Conn.Close() // its server notices by the next read or write
	}
}

func (d *Door) group(address string) *group {
	g, ok := d.groups[address]
	if !ok {
		g = &group{address: address}
		d.groups[address] = g
		heap.Push(&d.order, g)
	}
	return g
}

func (d *Door) enter(g *group) *group {
	g.refs++
	return g
}

func (d *Door) leave(g *group) {
	if g.refs--; g.refs == 0 {
		delete(d.groups, g.address)
		heap.Remove(&d.order, g.index)
	}
}

// whose returns the address that a connection counts for, and whether it is a proxy's.
func (d *Door) whose(c net.Conn) (address string, proxy bool) {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return "", true // a Unix socket: of a proxy on this machine
	}
	peer := at.Addr().Unmap().WithZone("")
	proxy = d.cfg.Proxy != nil && d.cfg.Proxy(peer)
	if d.cfg.Address != nil {
		return d.cfg.Address(peer), proxy
	}
	return peer.String(), proxy
}
