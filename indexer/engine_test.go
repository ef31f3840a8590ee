package indexer

import (
	"context"
	"errors"
	"testing"
)

// slowIndex tells when it is closed.
type slowIndex struct {
	*engine
	closing func()
}

func (i slowIndex) Close() error {
	i.closing()
	return nil
}

// Nobody who searches waits while an index is opened or closed.
func TestEngineIsNotHeld(t *testing.T) {
	var e *Engine
	free := func() {
		t.Helper()
		if !e.mu.TryLock() {
			t.Error("the engine is held")
			return
		}
		e.mu.Unlock()
		if e.here() != nil {
			t.Error("an index is there that is not open")
		}
	}
	e = Private(func() (Index, error) { free(); return slowIndex{newEngine(), free}, nil }, nil)
	if _, err := e.take(); err != nil {
		t.Fatal(err)
	}
	if e.here() == nil {
		t.Error("the index is not there")
	}
	if err := errors.Join(e.leave(), e.Close()); err != nil {
		t.Error(err)
	}
}

// A batch that nobody waited for and that failed is not passed over.
func TestBatchBeforeFailed(t *testing.T) {
	f := &files{before: make(chan error, 1)}
	f.before <- errAway
	err := f.apply(context.Background(), Batch{Deleted: []string{"m"}})
	if !errors.Is(err, errWrite) || !errors.Is(err, errAway) || f.before != nil {
		t.Errorf("got %v", err)
	}
}
