package bus

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// register is where the nodes of a test read their keys.
type register struct {
	mu   sync.Mutex
	ring Keyring
	read map[int]int // by node, how often since the last change
}

func (r *register) set(ring Keyring) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring, r.read = ring, map[int]int{}
}

func (r *register) reader(node int) func(context.Context) (Keyring, error) {
	return func(context.Context) (Keyring, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.read[node]++
		k := r.ring
		k.Now = time.Now()
		return k, nil
	}
}

// known reports whether every node has read what was set last, and used it: the second read
// begins after the first was taken over.
func (r *register) known(nodes int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := range nodes {
		if r.read[n] < 2 {
			return false
		}
	}
	return true
}

// with returns a keyring that signs with another of its keys.
func (k Keyring) with(sign uint32) Keyring {
	for _, key := range k.Believed {
		if key.ID == sign {
			k.Sign = key
		}
	}
	return k
}

// The key is changed twice while three nodes publish, ask and announce: everything arrives,
// nothing is rejected. The steps are those of a rotation: believed by all, used by all one after
// the other, the old one given up.
func TestRotationLosesNothing(t *testing.T) {
	const nodes = 3
	url := startInside(t, &server.Options{}).ClientURL()
	reg, stream := &register{}, uuid.NewString()
	reg.set(testRing(1))
	var buses []*Bus
	var people []*recorder
	for n := range nodes {
		b := newBus(t, Config{URL: url, ReadKeys: reg.reader(n), Encrypt: n == 2})
		b.keysEvery, b.keysPause = 5*time.Millisecond, time.Millisecond
		buses, people = append(buses, b), append(people, &recorder{})
		run(t, b, people[n])
		connected(t, b)
		if err := b.Subscribe(stream); err != nil {
			t.Fatal(err)
		}
		flush(t, b)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var talking sync.WaitGroup
	sent := make([]int, nodes)
	for n, b := range buses {
		talking.Go(func() {
			for ; ctx.Err() == nil; sent[n]++ {
				b.Publish(stream, fmt.Appendf(nil, "%d %d", n, sent[n]), "")
				asking, done := context.WithTimeout(t.Context(), patience) // also keeps the queues short
				if _, err := b.Ask(asking, []byte("?")); err != nil {
					t.Errorf("unanswered: %v", err)
				}
				done()
			}
		})
	}
	for from := uint32(1); from < 3; from++ {
		both := testRing(from, from+1)
		for _, step := range []Keyring{both.with(from), both.with(from + 1), testRing(from + 1)} {
			reg.set(step)
			eventually(t, "known", func() bool { return reg.known(nodes) })
			arrived(t, buses, people)
		}
	}
	cancel()
	talking.Wait()
	for n, p := range people {
		want := 0
		for other := range nodes {
			if other != n {
				want += sent[other]
			}
		}
		eventually(t, "everything", func() bool { return p.received() >= want })
		for _, r := range buses[n].Stats().Rejected {
			if r.Count > 0 {
				t.Errorf("node %d rejected %+v", n, r)
			}
		}
		if got := buses[n].keys.Load().sign.id; got != 3 || p.received() != want {
			t.Errorf("node %d signs with key %d and received %d of %d", n, got, p.received(), want)
		}
	}
}

// arrived waits until every node has what the others have sent before: each hears the others in
// order.
func arrived(t *testing.T, buses []*Bus, people []*recorder) {
	t.Helper()
	for n, b := range buses {
		word := uuid.NewString()
		b.Announce([]byte(word))
		for other, p := range people {
			eventually(t, "everything from before", func() bool { return other == n || strings.Contains(p.announced(), word) })
		}
	}
}

// A key that was given up opens nothing, and a message under an unknown one has the keys read
// again.
func TestUnknownKeyHasTheKeysRead(t *testing.T) {
	url := startInside(t, &server.Options{}).ClientURL()
	stream, node := uuid.NewString(), &recorder{}
	reg := &register{}
	reg.set(testRing(1))
	b := newBus(t, Config{URL: url, ReadKeys: reg.reader(0)}) // by itself it reads every ten seconds
	b.keysEvery, b.keysPause = time.Hour, time.Millisecond
	run(t, b, node)
	connected(t, b)
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	flush(t, b)
	other := live(t, Config{URL: url, Keyring: testRing(2)}, &recorder{})
	reg.set(testRing(2))
	other.Publish(stream, []byte("lost"), "")
	eventually(t, "the new key", func() bool { return b.keys.Load().sign.id == 2 })
	other.Publish(stream, []byte("read"), "")
	eventually(t, "received", func() bool { return node.received() == 1 })
	old := live(t, Config{URL: url, Keyring: testRing(1)}, &recorder{})
	old.Publish(stream, []byte("old key"), "")
	eventually(t, "rejected", func() bool { return rejected(b, "event", "unknown_key") == 2 })
	if node.received() != 1 || string(node.data[0]) != "read" {
		t.Errorf("received %q", node.data)
	}
}

func TestKeyringIsChecked(t *testing.T) {
	short := testRing(1)
	short.Believed[0].Secret = short.Believed[0].Secret[1:]
	missing := testRing(1)
	missing.Sign.ID = 2
	for name, ring := range map[string]Keyring{"none": {}, "short": short, "missing": missing} {
		if _, err := New(Config{Keyring: ring}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// aged returns a keyring whose shared clock is off by d.
func aged(t *testing.T, d time.Duration) *keyring {
	t.Helper()
	k := testRing(1)
	k.Now = k.Now.Add(d)
	r, err := k.derive()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is old is not believed, even by a node that has just started and remembers nothing.
func TestOldMessagesAreStale(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		s := newSealer(encrypt)
		if err := s.use(aged(t, 0)); err != nil {
			t.Fatal(err)
		}
		for age, want := range map[time.Duration]fault{
			0: sound, Freshness - 5*time.Second: sound, Freshness + 5*time.Second: stale, time.Hour: stale,
			5*time.Second - Freshness: sound, -Freshness - 5*time.Second: stale,
		} {
			m := &nats.Msg{Subject: "s", Data: bytes.Clone(s.seal("s", "", []byte("x")))}
			if _, _, why := newOpener([senderSize]byte{}).open(aged(t, age), m); why != want {
				t.Errorf("%v old: %q, want %q", age, reasonNames()[why], reasonNames()[want])
			}
		}
	}
}

// A sender is remembered for as long as anything of it could be replayed, and no longer.
func TestSendersAreForgotten(t *testing.T) {
	o := newOpener([senderSize]byte{})
	hear := func(at time.Duration) *nats.Msg {
		s := newSealer(false)
		if err := s.use(aged(t, at)); err != nil {
			t.Fatal(err)
		}
		m := &nats.Msg{Subject: "s", Data: bytes.Clone(s.seal("s", "", nil))}
		if _, _, why := o.open(aged(t, at), m); why != sound {
			t.Fatalf("rejected: %s", reasonNames()[why])
		}
		return m
	}
	first := hear(0)
	for i := range 100 {
		hear(time.Duration(i) * time.Second)
	}
	if got := len(o.senders); got > int(Freshness/time.Second)+2 {
		t.Errorf("%d senders are remembered", got)
	}
	if _, _, why := o.open(aged(t, 100*time.Second), first); why != stale {
		t.Errorf("a forgotten sender's message: %q", reasonNames()[why])
	}
}

// The senders that are forgotten are never ones whose messages are fresh: each is replayed at the
// last moment, after many others have come.
func TestSendersAreRemembered(t *testing.T) {
	o := newOpener([senderSize]byte{})
	say := func(at time.Duration) *nats.Msg {
		s := newSealer(false)
		if err := s.use(aged(t, at)); err != nil {
			t.Fatal(err)
		}
		return &nats.Msg{Subject: "s", Data: bytes.Clone(s.seal("s", "", nil))}
	}
	first := say(0)
	for _, m := range []*nats.Msg{first, say(Freshness - 5*time.Second)} {
		if _, _, why := o.open(aged(t, Freshness-5*time.Second), m); why != sound {
			t.Fatalf("rejected: %s", reasonNames()[why])
		}
	}
	if _, _, why := o.open(aged(t, Freshness-4*time.Second), first); why != replayed {
		t.Errorf("the first again: %q, want replayed", reasonNames()[why])
	}
}

// The window agrees with a set of all numbers, as far as it reaches back.
func TestWindowAgainstModel(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var w window
		seen, last := map[uint64]bool{}, uint64(0)
		for range 3000 {
			n := 1 + last + uint64(rnd.IntN(40)) - min(last, uint64(rnd.IntN(60)))
			switch rnd.IntN(100) {
			case 0:
				n = last + uint64(rnd.IntN(5000))
			case 1:
				n = 1 + uint64(rnd.Int64N(int64(last)+1))
			}
			want := !seen[n] && (n > last || last-n < windowSize)
			if got := w.take(n); got != want {
				t.Fatalf("seed %d: take(%d) after %d is %v, want %v", seed, n, last, got, want)
			}
			seen[n], last = true, max(last, n)
		}
	}
}

// Without an answer a node goes on with the keys that it has, and says so.
func TestKeysThatCannotBeRead(t *testing.T) {
	var log logged
	url := startInside(t, &server.Options{}).ClientURL()
	tries := make(chan struct{}, 100)
	b := newBus(t, Config{URL: url, Log: log.log(), ReadKeys: func(context.Context) (Keyring, error) {
		tries <- struct{}{}
		return Keyring{}, context.DeadlineExceeded
	}})
	b.keysEvery, b.keysPause = time.Millisecond, time.Millisecond
	run(t, b, &recorder{})
	connected(t, b)
	for range 3 {
		<-tries
	}
	echoed(t, b)
	if !log.has("keys of the bus cannot be read") || b.keys.Load().sign.id != 1 {
		t.Error("not told, or the key is gone")
	}
}
