package hub

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd is a stream with many subscribers over real sockets, read by others. Its events are published only: the position
// check would find the database behind.
type crowd struct {
	*node
	stream string
	body   []byte
	seq    int64
	peers  []net.Conn
	read   sync.WaitGroup
}

func newCrowd(b testing.TB, size int) *crowd {
	c := &crowd{node: start(b, Config{CheckEvery: time.Hour}, nil), stream: "00000000-0000-7000-8000-000000000001",
		body: []byte(`{"op":"message.created","d":"` + strings.Repeat("x", 220) + `"}`)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	for i := range size {
		c.member(c.stream, fmt.Sprint("user-", i)) // before anybody listens: nothing is left to write when it begins
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

// publishAll publishes count events and waits until all were handed to the sockets.
func (c *crowd) publishAll(count int) {
	want := c.hub.Stats().Deliveries + int64(count*len(c.peers))
	for range count {
		c.seq++
		c.publish(Event{Stream: c.stream, Seq: c.seq, Op: "message.created", Kind: Content, Target: c.seq, Data: c.body})
	}
	tick, deadline := time.NewTicker(100*time.Microsecond), time.After(time.Minute)
	defer tick.Stop()
	for s := c.hub.Stats(); s.Deliveries < want || s.QueuedBytes > 0; s = c.hub.Stats() {
		select {
		case <-tick.C:
		case <-deadline:
			c.t.Fatalf("%d of %d deliveries, %d slow connections closed", s.Deliveries, want, s.SlowCloses)
		}
	}
}

// BenchmarkFanout is 64 messages in flight to 1,000 connections: time of the pump, frames per write, allocations and
// bytes per delivery. The clients' reading shares the machine.
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

// TestFanoutHardlyAllocates holds the promise of less than one allocation in fifty deliveries.
func TestFanoutHardlyAllocates(t *testing.T) {
	c := newCrowd(t, 200)
	c.publishAll(64)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.publishAll(500)
	runtime.ReadMemStats(&after)
	if per := float64(after.Mallocs-before.Mallocs) / float64(500*len(c.peers)); per >= 0.02 {
		t.Errorf("%.4f allocations per delivery", per)
	}
}
