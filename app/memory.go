package app

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

const (
	// memoryEvery is how often memory is looked at.
	memoryEvery = 5 * time.Second
	// rushBytes is what is allocated between two looks in a rush. An idle node
	// with thousands of connections allocates some 2 MiB.
	rushBytes = 8 << 20
)

// keepMemory gives back what a rush, such as of many who connect, has left
// behind: when little is allocated no collection comes by itself for minutes,
// and idle connections would be weighed with the garbage of their beginning.
func keepMemory(ctx context.Context) error {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	var m memory
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if m.look(allocated()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// memory notices the end of a rush, from one look after the other.
type memory struct {
	allocated uint64 // bytes, since the start
	rush      bool
}

// look reports whether a rush is over: once for each.
func (m *memory) look(allocated uint64) bool {
	was := m.rush
	m.rush = allocated-m.allocated >= rushBytes
	m.allocated = allocated
	return was && !m.rush
}

func allocated() uint64 {
	sample := []runtimemetrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	runtimemetrics.Read(sample)
	return sample[0].Value.Uint64()
}
