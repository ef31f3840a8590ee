package indexer

import (
	"context"
	"fmt"
	"sync"

	"fechatter/chat"
)

// Peers searches on the node that keeps the index.
type Peers interface {
	Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error)
}

// Engine is the index as a node reaches it: one that all nodes share, or one that
// is open only in the node that keeps it and that the other nodes search through
// that node. Its methods may be called concurrently.
type Engine struct {
	open  func() (Index, error) // nil: shared
	peers Peers                 // nil: shared, or there are no other nodes

	mu    sync.Mutex
	index Index // nil while another node has it
}

// Shared returns the engine for an index that every node can reach itself.
func Shared(index Index) *Engine { return &Engine{index: index} }

// Private returns the engine for an index that one process at a time can open.
// peers may be nil if there is only one node.
func Private(open func() (Index, error), peers Peers) *Engine {
	return &Engine{open: open, peers: peers}
}

// shared reports whether every node searches the same index.
func (e *Engine) shared() bool { return e.open == nil }

// acquire opens a private index for the node that keeps it. Opening and closing may
// take long; searches wait for neither.
func (e *Engine) acquire() (Index, error) {
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

// here returns the index, nil while another node has it.
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

// release closes a private index, so that the next node can open it.
func (e *Engine) release() error {
	if e.shared() {
		return nil
	}
	return e.Close()
}

// Close closes the index without waiting for searches in progress. It may be called
// more than once, but not while Indexer.Run is running.
func (e *Engine) Close() error {
	if index := e.set(nil); index != nil {
		return index.Close()
	}
	return nil
}
