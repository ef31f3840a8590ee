package hub

import (
	"bufio"
	"context"
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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// The tests of this file use real sockets with small buffers, and coder/websocket as a server does.

// smallBuffers is a listener whose connections have send buffers so small that most writes are partial.
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
	return w.wire, w.wire.ReadWriter(), err
}

// served is a connection as the server side of a test sees it.
type served struct {
	conn *Conn
	*owner
	closed chan struct{}
	texts  chan string // what the client has sent
}

// serve starts a server; every connection comes out of the channel.
func (n *node) serve(useTLS bool, direct bool) (*httptest.Server, <-chan *served) {
	conns := make(chan *served, 16)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.handle(w, r, conns, direct)
	}))
	srv.Listener = smallBuffers{srv.Listener}
	if useTLS {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	n.t.Cleanup(srv.Close)
	return srv, conns
}

func (n *node) handle(w http.ResponseWriter, r *http.Request, conns chan<- *served, direct bool) {
	s := &served{owner: &owner{}, closed: make(chan struct{}), texts: make(chan string, 16)}
	s.onCall(func(call string) {
		if call == "closed" {
			close(s.closed)
		}
	})
	t := &takeover{ResponseWriter: w, hub: n.hub}
	opts := &websocket.AcceptOptions{
		OnPongReceived: func(context.Context, []byte) { s.conn.Alive() },
		OnPingReceived: func(_ context.Context, p []byte) bool {
			if direct {
				s.conn.Pong(p)
			}
			return !direct // then coder answers, by Wire.Write
		},
	}
	ws, err := websocket.Accept(t, r, opts)
	if err != nil {
		n.t.Error(err)
		return
	}
	ws.SetReadLimit(1000)
	s.conn = n.hub.Register(t.wire, WebSocket, r.URL.Query().Get("user"), s.owner)
	conns <- s
	defer ws.CloseNow()
	for {
		_, p, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		s.conn.Alive()
		s.texts <- string(p)
	}
}

// peer is a client with a raw socket.
type peer struct {
	t     testing.TB
	nc    net.Conn
	r     *bufio.Reader
	pongs atomic.Int64 // read by readAll
}

// dial makes the handshake by hand over a socket with a small receive buffer.
func dial(t testing.TB, srv *httptest.Server, user string, early string) *peer {
	t.Helper()
	d := net.Dialer{Timeout: 10 * time.Second}
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

// deadline keeps a broken test from hanging.
func (p *peer) deadline() { _ = p.nc.SetDeadline(time.Now().Add(20 * time.Second)) }

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

// flood sends pings with growing numbers until stop is closed, and takes no notice of pongs.
func (p *peer) flood(stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		if _, err := io.WriteString(p.nc, masked(9, strconv.Itoa(i)+strings.Repeat("x", i%100))); err != nil {
			return
		}
	}
}

// lengths are payload sizes around every boundary of the frame format and of the buffers.
var lengths = [...]int{0, 1, 60, 100, 125, 126, 127, 300, 4000, 16 << 10, 65535, 65536, 70000}

func TestEveryFrameArrivesWholeAndInOrder(t *testing.T) {
	for name, tt := range map[string]struct{ tls, direct bool }{
		"pongs by coder":   {false, false},
		"pongs by the hub": {false, true},
		"tls":              {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t, Config{
				QueueBytes: -1, PingEvery: 100 * time.Millisecond, PongWait: time.Minute, CloseTimeout: time.Minute,
			}, nil)
			srv, conns := n.serve(tt.tls, tt.direct)
			n.member("c", "u")
			const events = 39
			var done sync.WaitGroup
			stop := make(chan struct{})
			var peers []*peer
			for range 4 {
				p := dial(t, srv, "u", "")
				peers = append(peers, p)
				s := <-conns
				(&client{n: n, conn: s.conn}).attach("c", -1)
				done.Go(func() { p.flood(stop) })
				done.Go(func() { p.readAll(events) })
			}
			for i := range events {
				n.say("c", strings.Repeat("é", lengths[i%len(lengths)]/2))
				if i%10 == 0 {
					n.hub.Ephemeral("c", "typing", []byte(`{"stream":"typing"}`), nil)
				}
			}
			var peak int64
			until(t, func() bool {
				s := n.hub.Stats()
				peak = max(peak, s.QueuedBytes)
				return s.Deliveries >= 4*events
			})
			for _, p := range peers {
				until(t, func() bool { return p.pongs.Load() > 0 })
			}
			if peak == 0 {
				t.Error("no write was partial: the test shows nothing")
			}
			close(stop)
			for _, c := range n.hub.Conns("u") {
				c.Close(4000, "done")
			}
			done.Wait()
		})
	}
}

// readAll reads to the end: events 2 … n+1 in order, pongs in order between them, a close frame last.
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
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the condition does not come true")
		}
	}
}

// seqOf answers the seq of an event document, 0 for another one.
func seqOf(payload []byte) int64 {
	var stream, rest string
	var seq int64
	if _, err := fmt.Sscanf(strings.ReplaceAll(string(payload[:min(len(payload), 60)]), ",", " "),
		`{"stream":%q "seq":%d %s`, &stream, &seq, &rest); err != nil {
		return 0
	}
	return seq
}

func TestSlowReaderOverASocket(t *testing.T) {
	n := start(t, Config{QueueBytes: 100 << 10, CloseTimeout: 20 * time.Second}, nil)
	srv, conns := n.serve(false, true)
	n.member("c", "slow", "quick")
	slow, quick := dial(t, srv, "slow", ""), dial(t, srv, "quick", "")
	for range 2 {
		s := <-conns
		(&client{n: n, conn: s.conn}).attach("c", -1)
	}
	text := strings.Repeat("x", 5000)
	for i := 0; n.hub.Stats().SlowCloses == 0; i++ {
		if i > 2000 {
			t.Fatal("the slow reader is never closed")
		}
		n.say("c", text)
		f, err := quick.next()
		if err != nil || seqOf(f.payload) != int64(3+i) {
			t.Fatalf("the quick reader got %v, %v; want %d", f.op, err, 3+i)
		}
	}
	seq, code := int64(2), 0
	for {
		f, err := slow.next()
		if err != nil {
			break
		}
		if f.op == 8 {
			code = int(binary.BigEndian.Uint16(f.payload))
			slow.answerClose()
			continue
		}
		if got := seqOf(f.payload); got != seq+1 || code != 0 {
			t.Fatalf("seq %d after %d, close code %d", got, seq, code)
		}
		seq++
	}
	if code != 4002 {
		t.Errorf("closed with %d, want 4002", code)
	}
	if got := n.hub.Stats(); got.SlowCloses != 1 || got.Connections > 2 {
		t.Errorf("%d slow closes, %d connections", got.SlowCloses, got.Connections)
	}
}

func TestCloseHandshakes(t *testing.T) {
	n := start(t, Config{}, nil)
	srv, conns := n.serve(false, false)

	t.Run("by the client", func(t *testing.T) {
		p := dial(t, srv, "u", "")
		s := <-conns
		if err := s.conn.Send("op", []byte(`"before"`)); err != nil {
			t.Fatal(err)
		}
		p.send(masked(8, "\x03\xe8bye"))
		p.want(1, `"before"`)
		p.want(8, "\x03\xe8bye")
		p.wantEnd()
		<-s.closed
		s.wantClosed(t, ErrGone)
	})
	t.Run("by the server", func(t *testing.T) {
		p := dial(t, srv, "u", "")
		s := <-conns
		s.conn.Close(4500, "revoked")
		p.want(8, "\x11\x94revoked")
		p.send(masked(8, "\x11\x94"))
		p.wantEnd()
		<-s.closed
		s.wantClosed(t, CloseError{4500, "revoked"})
	})
	t.Run("frame too big, and the client goes on sending", func(t *testing.T) {
		p := dial(t, srv, "u", "")
		s := <-conns
		for range 50 {
			if _, err := io.WriteString(p.nc, masked(1, strings.Repeat("x", 60000))); err != nil {
				break
			}
		}
		f, err := p.next()
		if err != nil || f.op != 8 || binary.BigEndian.Uint16(f.payload) != 1009 {
			t.Errorf("got %v, %v; want close 1009", f, err)
		}
		p.nc.Close()
		<-s.closed
	})
	t.Run("protocol error", func(t *testing.T) {
		p := dial(t, srv, "u", "")
		s := <-conns
		p.send("\xC1\x80\x01\x02\x03\x04") // reserved bit
		f, err := p.next()
		if err != nil || f.op != 8 || binary.BigEndian.Uint16(f.payload) != 1002 {
			t.Errorf("got %v, %v; want close 1002", f, err)
		}
		p.nc.Close()
		<-s.closed
	})
	t.Run("the client vanishes", func(t *testing.T) {
		p := dial(t, srv, "u", "")
		s := <-conns
		p.nc.Close()
		<-s.closed
		s.wantClosed(t, ErrGone)
	})
}

func TestWhatTheHTTPServerReadAheadIsNotLost(t *testing.T) {
	n := start(t, Config{}, nil)
	srv, conns := n.serve(false, false)
	text := strings.Repeat("early ", 100)
	p := dial(t, srv, "u", masked(1, text)+masked(9, strings.Repeat("p", 125)))
	s := <-conns
	if got := <-s.texts; got != text {
		t.Errorf("got %q", got)
	}
	p.want(10, strings.Repeat("p", 125))
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
