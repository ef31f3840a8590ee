package hub

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crowd is a stream with many subscribers over real sockets whose peers read. Its events are
// published without being stored: the position check would find the database behind.
type crowd struct {
	*node
	stream string
	body   []byte
	seq    int64
	peers  []net.Conn
	read   sync.WaitGroup
	secure *httptest.Server // whose certificate is used; nil: bare sockets
}

func newCrowd(b testing.TB, size int) *crowd { return newCrowdOver(b, size, nil) }

func newCrowdOver(b testing.TB, size int, secure *httptest.Server) *crowd {
	c := &crowd{secure: secure, node: start(b, Config{CheckEvery: time.Hour}, nil), stream: "00000000-0000-7000-8000-000000000001",
		body: []byte(`{"op":"message.created","d":"` + strings.Repeat("x", 220) + `"}`)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	for i := range size {
		// Before anybody listens, so that nothing is left to write later.
		c.member(c.stream, fmt.Sprint("user-", i))
	}
	for i := range size {
		c.join(b, listener, fmt.Sprint("user-", i))
	}
	b.Cleanup(func() {
		for _, p := range c.peers {
			_ = p.Close()
		}
		c.read.Wait()
	})
	c.seq = c.db.position(c.stream)
	return c
}

func (c *crowd) join(b testing.TB, listener net.Listener, user string) {
	peer, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	nc, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	c.peers = append(c.peers, peer)
	if c.secure != nil {
		nc = c.encrypt(b, nc, peer)
	}
	c.read.Go(func() {
		for buf := make([]byte, 64<<10); ; {
			if _, err := peer.Read(buf); err != nil {
				return
			}
		}
	})
	n := &client{n: c.node, wire: c.hub.NewWire(nc, nil), owner: &owner{}}
	n.conn = c.hub.Register(n.wire, WebSocket, user, n.owner)
	n.attach(c.stream, -1)
}

// encrypt makes the handshake. Then the peer reads what comes as it is: what it costs to open
// is no cost of the hub's.
func (c *crowd) encrypt(b testing.TB, nc, peer net.Conn) net.Conn {
	opened := make(chan error, 1)
	config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // both ends are here
	go func() { opened <- tls.Client(peer, config).Handshake() }()
	conn := tls.Server(&cipherText{Conn: nc}, c.secure.TLS)
	if err := errors.Join(conn.Handshake(), <-opened); err != nil {
		b.Fatal(err)
	}
	return conn
}

// publishAll publishes count events and waits until the sockets have accepted all of them.
func (c *crowd) publishAll(count int) {
	want := c.hub.Stats().Deliveries + int64(count*len(c.peers))
	for range count {
		c.seq++
		c.publish(Event{Stream: c.stream, Seq: c.seq, Op: "message.created", Kind: Content, Target: c.seq, Data: c.body})
	}
	tick, deadline := time.NewTicker(100*time.Microsecond), time.After(5*time.Minute)
	defer tick.Stop()
	for s := c.hub.Stats(); s.Deliveries < want || s.QueuedBytes > 0; s = c.hub.Stats() {
		select {
		case <-tick.C:
		case <-deadline:
			c.t.Fatalf("%d of %d deliveries, %d slow connections closed", s.Deliveries, want, s.SlowCloses)
		}
	}
}

// BenchmarkFanout measures 64 messages in flight to 1,000 connections: pump time, frames per write,
// allocations and bytes per delivery. The reading clients share the machine.
func BenchmarkFanout(b *testing.B) {
	const inFlight = 64
	c := newCrowd(b, 1000)
	c.publishAll(inFlight)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	started, rounds := c.hub.Stats(), 0
	for b.Loop() {
		c.publishAll(inFlight)
		rounds++
	}
	ended := c.hub.Stats()
	runtime.ReadMemStats(&after)
	deliveries := float64(rounds * inFlight * len(c.peers))
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/deliveries, "allocs/delivery")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/deliveries, "B/delivery")
	b.ReportMetric(float64(ended.FanoutNanos-started.FanoutNanos)/deliveries, "pump-ns/delivery")
	b.ReportMetric(deliveries/float64((ended.Batches-started.Batches)*int64(len(c.peers))), "frames/write")
	if s := c.hub.Stats(); s.SlowCloses > 0 {
		b.Fatalf("%d slow connections were closed", s.SlowCloses)
	}
}

// BenchmarkFanoutOver compares bare sockets and TLS by the processor time of a delivery, one and
// 64 messages to a write. What the peers read is part of it; what they would decrypt is not.
func BenchmarkFanoutOver(b *testing.B) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	for name, secure := range map[string]*httptest.Server{"plain": nil, "tls": srv} {
		b.Run(name, func(b *testing.B) {
			c := newCrowdOver(b, 200, secure)
			for _, inFlight := range []int{1, 64} {
				b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
					c.publishAll(inFlight)
					began, rounds := processorTime(b), 0
					for b.Loop() {
						c.publishAll(inFlight)
						rounds++
					}
					b.ReportMetric(float64(processorTime(b)-began)/float64(rounds*inFlight*len(c.peers)), "cpu-ns/delivery")
				})
			}
		})
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestFanoutHardlyAllocates checks the promise of less than one allocation in fifty deliveries.
func TestFanoutHardlyAllocates(t *testing.T) { hardlyAllocates(t, newCrowd(t, 200)) }

// Over TLS the hub allocates as little.
func TestFanoutOverTLSHardlyAllocates(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	hardlyAllocates(t, newCrowdOver(t, 200, srv))
}

func hardlyAllocates(t *testing.T, c *crowd) {
	c.publishAll(64)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.publishAll(500)
	runtime.ReadMemStats(&after)
	if per := float64(after.Mallocs-before.Mallocs) / float64(500*len(c.peers)); per >= 0.02 {
		t.Errorf("%.4f allocations per delivery", per)
	}
}
