package hub

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// medium is the bus of these tests: subscriptions take effect with Flush, as over a network.
type medium struct {
	mu        sync.Mutex
	hub       *Hub
	asked     map[string]bool
	inForce   map[string]bool
	published int
	story     []string // the calls of Subscribe and Flush
	refuse    error
	noFlush   error
}

func newMedium() *medium { return &medium{asked: map[string]bool{}, inForce: map[string]bool{}} }

func (b *medium) Subscribe(ids ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	b.story = append(b.story, fmt.Sprint("subscribe ", len(ids)))
	for _, id := range ids {
		b.asked[id] = true
	}
	return nil
}

func (b *medium) Unsubscribe(ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.asked, id)
		delete(b.inForce, id)
	}
}

func (b *medium) Flush(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.noFlush != nil {
		return b.noFlush
	}
	b.story = append(b.story, "flush")
	for id := range b.asked {
		b.inForce[id] = true
	}
	return nil
}

func (b *medium) Publish(string, []byte, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.published++
}

func (b *medium) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[id]
}

// from delivers an event that another node has published, if this node is subscribed.
func (b *medium) from(t testing.TB, e Event) {
	t.Helper()
	b.mu.Lock()
	in := b.inForce[e.Stream]
	b.mu.Unlock()
	data, err := e.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if in {
		if err := b.hub.Receive(e.Stream, data, ""); err != nil {
			t.Fatal(err)
		}
	}
}
