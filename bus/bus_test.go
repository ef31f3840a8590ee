package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"
)

// patience bounds a hang. Nothing that works takes as long, even on a busy machine.
const patience = time.Minute

// recorder is a node that records what the bus tells it.
type recorder struct {
	mu     sync.Mutex
	data   [][]byte
	hints  []string
	asked  int
	news   []string
	lost   []bool
	checks int
	refuse error
}

func (r *recorder) Receive(_ string, data []byte, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data = append(r.data, data)
	return r.refuse
}

func (r *recorder) Hinted(stream string, _ []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hints = append(r.hints, stream)
	return nil
}

func (r *recorder) Announced(data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.news = append(r.news, string(data))
}

// Asked answers in capitals, unless the question is silence.
func (r *recorder) Asked(data []byte, answer func([]byte)) {
	r.mu.Lock()
	r.asked++
	r.mu.Unlock()
	if string(data) != "silence" {
		answer(bytes.ToUpper(data))
	}
}

func (r *recorder) questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func (r *recorder) announced() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.news, " ")
}

func (r *recorder) BusLost(lost bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = append(r.lost, lost)
}

func (r *recorder) CheckNow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks++
}

func (r *recorder) received() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.data)
}

func (r *recorder) state() (lost, known bool, checks int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.lost); n > 0 {
		lost, known = r.lost[n-1], true
	}
	return lost, known, r.checks
}

// testRing is a keyring of the keys with these numbers, the last of which signs.
func testRing(ids ...uint32) Keyring {
	r := Keyring{Now: time.Now()}
	for _, id := range ids {
		r.Sign = Key{ID: id, Secret: bytes.Repeat([]byte{byte(id)}, secretSize)}
		r.Believed = append(r.Believed, r.Sign)
	}
	return r
}

// newBus returns a bus that has the key of all nodes of these tests, unless cfg names others.
func newBus(t testing.TB, cfg Config) *Bus {
	t.Helper()
	if cfg.Keyring.Believed == nil {
		cfg.Keyring = testRing(1)
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// live returns a bus that runs until the test ends and is connected.
func live(t *testing.T, cfg Config, node Node) *Bus {
	t.Helper()
	b := newBus(t, cfg)
	run(t, b, node)
	connected(t, b)
	return b
}

// run starts b and stops it with the test.
func run(t testing.TB, b *Bus, node Node) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, node) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run did not return")
		}
	})
}

// eventually polls: the other side is a real server that takes its own time.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(2 * time.Millisecond); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func connected(t testing.TB, b *Bus) {
	t.Helper()
	eventually(t, "connected", func() bool { return b.Stats().Connected })
}

// echoed waits until the server has everything that b has published.
func echoed(t *testing.T, b *Bus) {
	t.Helper()
	eventually(t, "echo", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return b.Echo(ctx, []byte(uuid.NewString())) == nil
	})
}

func flush(t testing.TB, b *Bus) {
	t.Helper()
	if err := b.Flush(t.Context()); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}

func TestEmbeddedRunsAndStops(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	node := &recorder{}
	b := newBus(t, Config{Name: "one"})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, node) }()
	connected(t, b)
	echoed(t, b)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := b.Flush(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("Flush after the end: %v, want ErrLost", err)
	}
}

func TestTwoNodes(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("", func(t *testing.T) {
		url := startInside(t, &server.Options{}).ClientURL()
		stream, other := uuid.NewString(), uuid.NewString()
		a, b := &recorder{}, &recorder{}
		busA, busB := live(t, Config{URL: url, Name: "a"}, a), live(t, Config{URL: url, Name: "b"}, b)
		if err := busB.Subscribe(stream); err != nil {
			t.Fatal(err)
		}
		if err := busA.Subscribe(stream); err != nil {
			t.Fatal(err)
		}
		flush(t, busA)
		flush(t, busB)

		const n = 2000 // twice that fits into the outbox, and this into the inbox
		for i := range n {
			busA.Publish(stream, fmt.Appendf(nil, "%d", i), "")
			busA.Publish(other, []byte("nobody asked"), "")
		}
		eventually(t, "all received", func() bool { return b.received() >= n })
		for i, data := range b.data {
			if string(data) != fmt.Sprint(i) {
				t.Fatalf("message %d is %q: order or content is wrong", i, data)
			}
		}
		if got := a.received(); got != 0 {
			t.Errorf("the publisher received %d of its own messages", got)
		}
		busB.Unsubscribe(stream)
		flush(t, busB)
		busA.Publish(stream, []byte("late"), "")
		echoed(t, busA)
		flush(t, busB)
		if got := b.received(); got != n {
			t.Errorf("%d messages after Unsubscribe, want %d", got, n)
		}
	})
}

func TestSubscribedBeforeRun(t *testing.T) {
	url := startInside(t, &server.Options{}).ClientURL()
	stream, node := uuid.NewString(), &recorder{}
	b := newBus(t, Config{URL: url})
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	run(t, b, node)
	connected(t, b)
	flush(t, b)
	other := newBus(t, Config{URL: url})
	run(t, other, &recorder{})
	other.Publish(stream, []byte("x"), "")
	eventually(t, "received", func() bool { return node.received() == 1 })
}

func TestStreamsAreIds(t *testing.T) {
	node := &recorder{}
	b := live(t, Config{}, node)
	for _, bad := range []string{
		"", ">", "*", "fechatter.chat.>", "0198f0c0-0000-7000-8000-00000000000*",
		"0198F0C0-0000-7000-8000-000000000001", "0198f0c000007000800000000000000001ab",
		"0198f0c0-0000-7000-8000-000000000001\r\n", "{198f0c0-0000-7000-8000-00000000001}",
	} {
		if err := b.Subscribe(bad); !errors.Is(err, ErrStream) {
			t.Errorf("Subscribe(%q) = %v, want ErrStream", bad, err)
		}
		before := b.Stats().Dropped
		b.Publish(bad, []byte("x"), "")
		if got := b.Stats().Dropped; got != before+1 {
			t.Errorf("Publish(%q) was not dropped", bad)
		}
	}
	if n := b.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions of refused streams", n)
	}
}

func TestRefusedEventsAreCounted(t *testing.T) {
	url := startInside(t, &server.Options{}).ClientURL()
	stream, node := uuid.NewString(), &recorder{refuse: errors.New("not an event")}
	b, other := live(t, Config{URL: url}, node), live(t, Config{URL: url}, &recorder{})
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	flush(t, b)
	other.Publish(stream, []byte("garbage"), "")
	eventually(t, "refused", func() bool { return b.Stats().Refused == 1 })
}

func TestPublishIsBounded(t *testing.T) {
	b := newBus(t, Config{}) // never run: nothing leaves the queue
	stream, big := uuid.NewString(), bytes.Repeat([]byte("x"), 1<<20)
	for range 20 {
		b.Publish(stream, big, "")
	}
	if s := b.Stats(); s.Queued > outboxBytes || s.Dropped != 4 {
		t.Errorf("20 MiB published: %d bytes queued, %d dropped; want at most %d and 4", s.Queued, s.Dropped, outboxBytes)
	}
	for range outboxSize + 10 {
		b.Publish(stream, nil, "")
	}
	if s := b.Stats(); s.Dropped != 4+10+16 {
		t.Errorf("%d dropped past the queue's length, want 30", s.Dropped)
	}
}
