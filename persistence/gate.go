package persistence

import (
	"context"
	"sync"
)

// gate makes transactions publish in the order of their commits. A transaction
// takes the turn of its streams while it holds their rows' locks and gives it
// back after it has published: the next holder of a lock then waits here for
// nothing but a publication. Nobody here waits for a lock, so none can wait in
// a circle.
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
