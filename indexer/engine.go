package indexer

import (
	"context"
	"fmt"
	"sync"

	"fechatter/chat"
)

// Peers asks the node that keeps the index.
type Peers interface {
	Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error)
}

// Engine is the index as a node can reach it: one that all nodes share, or one
// that is open in the node that keeps it and that the others ask by way of that
// node.
type Engine struct {
	open  func() (Index, error) // nil: shared
	peers Peers                 // nil: shared, or there are no others

	mu    sync.Mutex
	index Index // nil while another node has it
}

// Shared is an index that every node reaches by itself.
func Shared(index Index) *Engine { return &Engine{index: index} }

// Private is an index that one process at a time can open. peers may be nil when
// there is only one.
func Private(open func() (Index, error), peers Peers) *Engine {
	return &Engine{open: open, peers: peers}
}

// take opens a private index for the node that keeps it. That may take long, and
// so may closing it: nobody who searches waits for either.
func (e *Engine) take() (Index, error) {
	if index := e.here(); index != nil {
		return index, nil
	}
	index, err := e.open()
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	e.set(index)
	return index, nil
}

// here gives the index, nil while another node has it.
func (e *Engine) here() Index {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.index
}

func (e *Engine) set(index Index) (before Index) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before, e.index = e.index, index
	return before
}

// leave closes a private index, so that the next node can open it.
func (e *Engine) leave() error {
	if e.open == nil {
		return nil
	}
	return e.Close()
}

// Close closes the index. Searches that have begun end by themselves. It may be
// called again, but not beside Indexer.Run.
func (e *Engine) Close() error {
	if index := e.set(nil); index != nil {
		return index.Close()
	}
	return nil
}
