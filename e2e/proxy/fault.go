package proxy

import (
	"sync"
	"time"
)

// Fault is what a proxy does to an edge. The zero value does nothing.
type Fault struct {
	// Refuse resets new connections at once. Those that are up live on.
	Refuse bool
	// HoldUp and HoldDown make the edge a black hole towards the server and towards
	// the client: bytes, and even the end of a connection, wait until the fault is
	// lifted, as they do while packets are lost.
	HoldUp, HoldDown bool
	// Delay is how much later each byte arrives.
	Delay time.Duration
	// CutUp and CutDown reset a connection after so many more bytes towards the server
	// and towards the client; 0: never.
	CutUp, CutDown int64
}

// faults is the fault in force, and a way to wait for the next.
type faults struct {
	mu      sync.Mutex
	now     Fault
	count   int           // of changes
	changed chan struct{} // closed by the next change
}

func (f *faults) set(next Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.now, f.changed = next, make(chan struct{})
	f.count++
}

func (f *faults) get() (now Fault, count int, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now, f.count, f.changed
}
