package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// Proxy listens on a port of its own, which it keeps, and forwards what comes there. All
// methods may be called concurrently.
type Proxy struct {
	listener net.Listener
	filter   func(io.Reader) io.Reader // of what comes from the server; nil: none
	faults   faults
	done     chan struct{}
	running  sync.WaitGroup

	mu              sync.Mutex
	network, target string
	links           map[*link]struct{}
	closed          bool
}

// Listen starts a proxy on a free port of the loopback interface. It refuses connections
// until it has a target. Whoever starts it closes it.
func Listen() (*Proxy, error) { return listen(nil) }

func listen(filter func(io.Reader) io.Reader) (*Proxy, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &Proxy{listener: l, filter: filter, done: make(chan struct{}), links: map[*link]struct{}{},
		faults: faults{changed: make(chan struct{})}}
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Target says where new connections go: "tcp" or "unix" and an address. An empty
// address refuses them.
func (p *Proxy) Target(network, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.network, p.target = network, address
}

// Set replaces the fault, for present and future connections.
func (p *Proxy) Set(f Fault) { p.faults.set(f) }

// Reset resets every present connection.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// Close ends the listener and every connection, and returns when all goroutines have
// ended.
func (p *Proxy) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
	}
	p.mu.Unlock()
	_ = p.listener.Close() // it only listened
	p.Reset()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.serve(c) })
	}
}

// serve forwards one connection to its end.
func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	network, target := p.network, p.target
	p.mu.Unlock()
	if now, _, _ := p.faults.get(); now.Refuse || target == "" {
		abort(client)
		return
	}
	server, err := new(net.Dialer).DialContext(context.Background(), network, target)
	if err != nil {
		abort(client)
		return
	}
	l := &link{proxy: p, client: client, server: server, ended: make(chan struct{})}
	if !p.adopt(l) {
		l.reset()
		return
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

func (p *Proxy) adopt(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = struct{}{}
	return !p.closed
}

// abort ends a connection with a reset instead of a farewell.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // at worst it is a farewell
	}
	_ = c.Close()
}
