package hub

import (
	"encoding/binary"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests of this file use real sockets with small buffers, and coder/websocket as a server does.

// lengths are payload sizes around every boundary of the frame format and of the buffers.
var lengths = [...]int{0, 1, 60, 100, 125, 126, 127, 300, 4000, 16 << 10, 65535, 65536, 70000}

func TestEveryFrameArrivesWholeAndInOrder(t *testing.T) {
	for name, tls := range map[string]bool{"tcp": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			n := start(t, Config{QueueBytes: -1, FrameBurst: -1, PingEvery: 100 * time.Millisecond,
				PongWait: hang, CloseTimeout: hang, WriteTimeout: hang}, nil)
			srv, conns := n.serve(tls)
			n.member("c", "u")
			const events = 260
			var done sync.WaitGroup
			stop := make(chan struct{})
			var peers []*peer
			for range 4 {
				p := dial(t, srv, "u", "")
				peers = append(peers, p)
				s := <-conns
				(&client{n: n, conn: s.conn}).attach("c", -1)
				done.Go(func() { p.flood(stop) })
			}
			for i := range events {
				n.say("c", strings.Repeat("é", lengths[i%len(lengths)]/2))
				if i%10 == 0 {
					n.hub.Ephemeral("c", "typing", []byte(`{"stream":"typing"}`), nil)
				}
				if i == len(lengths) { // more than the sockets hold: a write is partial
					until(t, func() bool { return n.hub.Stats().QueuedBytes > 0 })
					for _, p := range peers {
						done.Go(func() { p.readAll(events) })
					}
				}
			}
			until(t, func() bool { return n.hub.Stats().Deliveries >= 4*events })
			for _, p := range peers {
				until(t, func() bool { return p.pongs.Load() > 0 })
			}
			close(stop)
			for _, c := range n.hub.Conns("u") {
				c.Close(4000, "done")
			}
			done.Wait()
		})
	}
}

func TestSlowReaderOverASocket(t *testing.T) { slowReader(t, false) }

// What TLS has encrypted is written to its end, and then the close frame.
func TestSlowReaderOverTLS(t *testing.T) { slowReader(t, true) }

func slowReader(t *testing.T, useTLS bool) {
	n := start(t, Config{QueueBytes: 100 << 10, CloseTimeout: hang, WriteTimeout: hang}, nil)
	srv, conns := n.serve(useTLS)
	n.member("c", "slow", "quick")
	slow, quick := dial(t, srv, "slow", ""), dial(t, srv, "quick", "")
	for range 2 {
		s := <-conns
		(&client{n: n, conn: s.conn}).attach("c", -1)
	}
	text := strings.Repeat("x", 5000)
	for i := 0; n.hub.Stats().SlowCloses == 0; i++ {
		if i > 2000 {
			t.Fatal("the slow reader was never closed")
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
	srv, conns := n.serve(false)

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
		var sending sync.WaitGroup
		sending.Go(func() {
			for err := error(nil); err == nil; { // until the server is gone
				_, err = io.WriteString(p.nc, masked(1, strings.Repeat("x", 60000)))
			}
		})
		f, err := p.next()
		if err != nil || f.op != 8 || binary.BigEndian.Uint16(f.payload) != 1009 {
			t.Errorf("got %v, %v; want close 1009", f, err)
		}
		p.nc.Close()
		sending.Wait()
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
	srv, conns := n.serve(false)
	text := strings.Repeat("early ", 100)
	p := dial(t, srv, "u", masked(1, text)+masked(9, strings.Repeat("p", 125)))
	s := <-conns
	select {
	case got := <-s.texts:
		if got != text {
			t.Errorf("got %q", got)
		}
	case <-time.After(hang):
		t.Fatal("heard nothing")
	}
	p.want(10, strings.Repeat("p", 125))
}
