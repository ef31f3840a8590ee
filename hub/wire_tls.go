package hub

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
)

// BeneathTLS returns l for a TLS listener or server on top. A Wire on such a connection
// encrypts what it sends at once and lets no write wait, as on a bare socket; TLS by itself
// waits for the peer, and is broken for good by a write that ran out of time.
func BeneathTLS(l net.Listener) net.Listener { return beneathTLS{l} }

type beneathTLS struct{ net.Listener }

func (l beneathTLS) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &cipherText{Conn: nc}, nil
}

// strayBytes is how much may wait of what TLS sends by itself, as answers to changes of
// keys: a peer that asks for those and does not read is ended.
const strayBytes = 16 << 10

var errStray = errors.New("the peer asks for new keys and does not read")

// cipherText is the socket beneath a TLS connection. From when a Wire has taken it, what
// TLS writes waits in rest, and the Wire says when it goes to the socket.
type cipherText struct {
	net.Conn

	mu    sync.Mutex
	taken bool
	held  bool            // the Wire is about to write: nothing goes out meanwhile
	raw   syscall.RawConn // nil: no direct writes
	rest  []byte          // encrypted, to be written before anything else
}

// NetConn returns the connection beneath.
func (c *cipherText) NetConn() net.Conn { return c.Conn }

// Write is for TLS, which never writes twice at once.
func (c *cipherText) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.taken {
		c.mu.Unlock()
		return c.Conn.Write(p)
	}
	defer c.mu.Unlock()
	if !c.held && len(c.rest) > strayBytes {
		return 0, errStray
	}
	c.rest = append(c.rest, p...)
	if c.held {
		return len(p), nil
	}
	return len(p), c.send(nil)
}

// send writes what the socket takes of what waits.
func (c *cipherText) send(rw *rawWriter) error {
	if c.raw == nil || len(c.rest) == 0 {
		return nil
	}
	if rw == nil {
		rw = newRawWriter()
	}
	rw.p, rw.n, rw.err = c.rest, 0, nil
	err := c.raw.Write(rw.try)
	if err == nil {
		err = rw.err
	}
	c.rest = c.rest[rw.n:]
	return err
}

// begin keeps what is encrypted from the socket, in empty unless something waits already.
func (c *cipherText) begin(empty []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = true
	if len(c.rest) == 0 {
		c.rest = empty
	}
}

// take returns what waits, for whoever holds it to write; if that is nothing, it is no longer
// held.
func (c *cipherText) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.rest
	c.rest = nil
	c.held = len(p) > 0
	return p
}

// sealed is a TLS connection as a Wire uses it.
type sealed struct {
	tls     *tls.Conn
	below   *cipherText
	waiting int // bytes of rest that are counted; guarded by the Wire
}

// sealedOf returns nil unless nc is a TLS connection that was accepted by BeneathTLS.
func sealedOf(nc net.Conn) *sealed {
	t, ok := nc.(*tls.Conn)
	if !ok {
		return nil
	}
	c, ok := t.NetConn().(*cipherText)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken, c.raw = true, rawConnOf(c.Conn)
	return &sealed{tls: t, below: c}
}

// write encrypts p and writes what the socket takes at once. It returns how many encrypted
// bytes wait.
func (s *sealed) write(p []byte, rw *rawWriter) (waiting int, err error) {
	s.below.begin(rw.sealed[:0])
	_, err = s.tls.Write(p)
	s.below.mu.Lock()
	defer s.below.mu.Unlock()
	s.below.held = false
	whole := s.below.rest
	if err == nil {
		err = s.below.send(rw)
	}
	if waiting = len(s.below.rest); waiting == 0 {
		s.below.rest, rw.sealed = nil, whole // the memory serves the next wire
	} else {
		rw.sealed = nil
	}
	return waiting, err
}

// closeWrite ends the writing side of TLS and of the socket.
func (s *sealed) closeWrite() error {
	err := s.tls.CloseWrite()
	if half, ok := s.below.Conn.(interface{ CloseWrite() error }); ok {
		err = errors.Join(err, half.CloseWrite())
	}
	return err
}

// countSealed counts what waits encrypted among what is queued.
func (w *Wire) countSealed(waiting int) {
	w.hub.stats.queuedBytes.Add(int64(waiting - w.sealed.waiting))
	w.sealed.waiting = waiting
}
