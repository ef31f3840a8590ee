package indexer

import (
	"context"
	"errors"
	"testing"
)

// slowIndex calls closing while it is being closed.
type slowIndex struct {
	*fakeEngine
	closing func()
}

func (i slowIndex) Close() error {
	i.closing()
	return nil
}

// No search waits while an index is being opened or closed.
func TestEngineIsNotHeld(t *testing.T) {
	var e *Engine
	free := func() {
		t.Helper()
		if !e.mu.TryLock() {
			t.Error("the engine is locked")
			return
		}
		e.mu.Unlock()
		if e.here() != nil {
			t.Error("an index that is not open is available")
		}
	}
	e = Private(func() (Index, error) { free(); return slowIndex{newFakeEngine(), free}, nil }, nil)
	if _, err := e.acquire(); err != nil {
		t.Fatal(err)
	}
	if e.here() == nil {
		t.Error("the open index is not available")
	}
	if err := errors.Join(e.release(), e.Close()); err != nil {
		t.Error(err)
	}
}

// The failure of a batch that nobody waited for is reported by the next one.
func TestBatchBeforeFailed(t *testing.T) {
	f := &files{before: make(chan error, 1)}
	f.before <- errAway
	err := f.apply(context.Background(), Batch{Deleted: []string{"m"}})
	if !errors.Is(err, errWrite) || !errors.Is(err, errAway) || f.before != nil {
		t.Errorf("got %v", err)
	}
}
