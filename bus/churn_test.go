package bus

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// tally is a node that counts events by their text, which names the stream.
type tally struct {
	recorder
	of map[string]int
}

func (r *tally) Receive(_ string, data []byte, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[string(data)]++
	return nil
}

func (r *tally) sum() (sum int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.of {
		sum += n
	}
	return sum
}

// Many goroutines change the interest while the server restarts. In the end the
// node hears exactly what it wants, each event once.
func TestInterestUnderChurn(t *testing.T) {
	srv := startProcess(t)
	node := &tally{of: map[string]int{}}
	b := live(t, Config{URL: srv.url}, node)

	const sides, streamsEach = 8, 20
	wanted := make([]map[string]bool, sides) // each side has its own streams
	var all sync.WaitGroup
	for side := range sides {
		wanted[side] = map[string]bool{}
		all.Go(func() { churn(t, b, wanted[side], rand.New(rand.NewPCG(1, uint64(side))), streamsEach) })
	}
	for range 2 {
		srv = srv.restart(t)
		connected(t, b)
	}
	all.Wait()
	connected(t, b)
	flush(t, b)

	other := live(t, Config{URL: srv.url}, &recorder{})
	want := 0
	for _, side := range wanted {
		for stream, on := range side {
			other.Publish(stream, []byte(stream), "")
			if on {
				want++
			}
		}
	}
	echoed(t, other)
	eventually(t, "all received", func() bool { return node.sum() >= want })
	flush(t, b)
	node.mu.Lock()
	defer node.mu.Unlock()
	for _, side := range wanted {
		for stream, on := range side {
			if got := node.of[stream]; on != (got == 1) || got > 1 {
				t.Errorf("stream wanted: %v, received %d times", on, got)
			}
		}
	}
	if got := b.Stats().Subscriptions; got != want {
		t.Errorf("%d subscriptions, want %d", got, want)
	}
}

// churn subscribes and unsubscribes at random, and notes what it wants in the end.
func churn(t *testing.T, b *Bus, wanted map[string]bool, rnd *rand.Rand, count int) {
	streams := make([]string, count)
	for i := range streams {
		streams[i] = uuid.NewString()
	}
	for range 3000 {
		stream := streams[rnd.IntN(count)]
		switch rnd.IntN(8) {
		case 0, 1, 2:
			b.Unsubscribe(stream)
			wanted[stream] = false
		case 3:
			_ = b.Flush(t.Context()) // fails while the server is away
		default:
			if err := b.Subscribe(stream); err != nil {
				t.Error(err)
			}
			wanted[stream] = true
		}
	}
}
