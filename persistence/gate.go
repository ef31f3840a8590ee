package persistence

import (
	"context"
	"sync"
)

// gate makes transactions publish in the order of their commits. A transaction
// enters the gate of its streams while it holds the locks of their rows and
// leaves it after it has published: the next holder of a lock waits here for a
// publication and nothing else. Since nobody waits for a lock while waiting here,
// there is no deadlock.
type gate struct {
	mu   sync.Mutex
	busy map[string]chan struct{}
}

func newGate() *gate { return &gate{busy: map[string]chan struct{}{}} }

func (g *gate) enter(ctx context.Context, stream string) error {
	for {
		g.mu.Lock()
		turn, taken := g.busy[stream]
		if !taken {
			g.busy[stream] = make(chan struct{})
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (g *gate) leave(streams []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range streams {
		close(g.busy[id])
		delete(g.busy, id)
	}
}
