package hub

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// smallBuffers is a listener whose connections have send buffers so small that most writes are
// partial.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return nc, nc.(*net.TCPConn).SetWriteBuffer(4096)
}

// takeover is the ResponseWriter that a server gives to websocket.Accept.
type takeover struct {
	http.ResponseWriter
	hub  *Hub
	wire *Wire
}

func (w *takeover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	ahead, err := brw.Peek(brw.Reader.Buffered())
	w.wire = w.hub.NewWire(nc, ahead)
	return unused{}, bufio.NewReadWriter(bufio.NewReaderSize(nil, 0), bufio.NewWriterSize(nil, 0)), err
}

// unused is what websocket.Accept gets for a connection.
type unused struct{ net.Conn }

func (unused) Close() error { return nil }

// served is a connection as the server side of a test sees it.
type served struct {
	conn *Conn
	*owner
	closed chan struct{}
	texts  chan string // what the client sent
}

// serve starts a server; every connection comes out of the channel.
func (n *node) serve(useTLS bool) (*httptest.Server, <-chan *served) {
	conns := make(chan *served, 16)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.handle(w, r, conns)
	}))
	srv.Listener = smallBuffers{srv.Listener}
	if useTLS {
		srv.Listener = BeneathTLS(srv.Listener)
		srv.StartTLS()
	} else {
		srv.Start()
	}
	n.t.Cleanup(srv.Close)
	return srv, conns
}

func (n *node) handle(w http.ResponseWriter, r *http.Request, conns chan<- *served) {
	n.handlers.Add(1)
	defer n.handlers.Done()
	s := &served{owner: &owner{}, closed: make(chan struct{}), texts: make(chan string, 16)}
	s.onCall(func(call string) {
		if call == "closed" {
			close(s.closed)
		}
	})
	t := &takeover{ResponseWriter: w, hub: n.hub}
	ws, err := websocket.Accept(t, r, nil)
	if err != nil {
		n.t.Error(err)
		return
	}
	_ = ws.CloseNow() // it has only made the handshake
	s.conn = n.hub.Register(t.wire, WebSocket, r.URL.Query().Get("user"), s.owner)
	conns <- s
	s.conn.Read(s)
}

const longest = 1000 // bytes of a message that a server of these tests takes

func (s *served) Limit() int { return longest }
func (s *served) Message(_ bool, p []byte) {
	select {
	case s.texts <- string(p):
	case <-s.closed:
	}
}

func (s *served) Ending() {}

// peer is a client with a raw socket.
type peer struct {
	t     testing.TB
	nc    net.Conn
	r     *bufio.Reader
	pongs atomic.Int64 // read by readAll
}

// dial makes the handshake by hand over a socket with a small receive buffer; early is sent at once
// after the request.
func dial(t testing.TB, srv *httptest.Server, user string, early string) *peer {
	t.Helper()
	d := net.Dialer{Timeout: hang}
	nc, err := d.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.(*net.TCPConn).SetReadBuffer(32 << 10); err != nil {
		t.Fatal(err)
	}
	if srv.TLS != nil {
		pool := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		nc = tls.Client(nc, &tls.Config{RootCAs: pool, ServerName: "example.com"})
	}
	t.Cleanup(func() { nc.Close() })
	request := "GET /?user=" + user + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := io.WriteString(nc, request+early); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, nc: nc, r: bufio.NewReaderSize(nc, 512)}
	p.deadline()
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %s", resp.Status)
	}
	return p
}

// hang bounds what would otherwise hang in a broken test; a busy machine never gets there.
const hang = 2 * time.Minute

func (p *peer) deadline() { _ = p.nc.SetDeadline(time.Now().Add(hang)) }

// masked is a client frame.
func masked(op byte, payload string) string {
	b := []byte{0x80 | op}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	default:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	key := [4]byte{1, 2, 3, 4}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return string(b)
}

// next reads one frame, whole or the test fails; io.EOF at the end.
func (p *peer) next() (frame, error) {
	p.deadline()
	f, err := readFrame(p.r)
	if _, broken := errors.AsType[*net.OpError](err); broken {
		return f, io.EOF // reset: nothing more will come
	}
	if err != nil && !errors.Is(err, io.EOF) {
		p.t.Errorf("frame: %v", err)
	}
	return f, err
}

// flood sends pings with growing numbers until stop is closed, ignoring pongs. It leaves the
// machine some time for the frames between which the pongs are to land.
func (p *peer) flood(stop <-chan struct{}) {
	tick := time.NewTicker(100 * time.Microsecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if _, err := io.WriteString(p.nc, masked(9, strconv.Itoa(i)+strings.Repeat("x", i%100))); err != nil {
			return
		}
	}
}

// readAll reads to the end: events 2 … n+1 in order, pongs in order between them, a close frame
// last.
func (p *peer) readAll(n int) {
	seq, pong := int64(1), -1
	var last frame
	for {
		f, err := p.next()
		if err != nil {
			break
		}
		switch last = f; f.op {
		case 1:
			if got := seqOf(f.payload); got == seq+1 {
				seq = got
			} else if got != 0 {
				p.t.Errorf("seq %d after %d", got, seq)
				return
			}
		case 10:
			number, err := strconv.Atoi(strings.TrimRight(string(f.payload), "x"))
			if err != nil || number <= pong {
				p.t.Errorf("pong %q after %d", f.payload, pong)
				return
			}
			pong = number
			p.pongs.Add(1)
		case 8:
			if code := binary.BigEndian.Uint16(f.payload); code != 4000 {
				p.t.Errorf("closed with %d", code)
			}
			p.answerClose()
		}
	}
	if seq != int64(n+1) {
		p.t.Errorf("the last seq is %d, want %d", seq, n+1)
	}
	if last.op != 8 {
		p.t.Errorf("the last frame is %v, want a close frame", last.op)
	}
}

// answerClose sends a close frame; a flood may be in its way or the socket gone.
func (p *peer) answerClose() { _, _ = io.WriteString(p.nc, masked(8, "\x0f\xa0")) }

// until polls a condition of the real world.
func until(t testing.TB, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(hang); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the condition did not come true")
		}
	}
}

// seqOf returns the seq of an event document, 0 for any other.
func seqOf(payload []byte) int64 {
	var stream, rest string
	var seq int64
	if _, err := fmt.Sscanf(strings.ReplaceAll(string(payload[:min(len(payload), 60)]), ",", " "),
		`{"stream":%q "seq":%d %s`, &stream, &seq, &rest); err != nil {
		return 0
	}
	return seq
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.nc, s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) want(op byte, payload string) {
	p.t.Helper()
	f, err := p.next()
	if err != nil || f.op != op || string(f.payload) != payload {
		p.t.Errorf("got %v, %v; want %d %q", f, err, op, payload)
	}
}

func (p *peer) wantEnd() {
	p.t.Helper()
	if f, err := p.next(); !errors.Is(err, io.EOF) {
		p.t.Errorf("got %v, %v; want the end", f, err)
	}
	p.nc.Close()
}
