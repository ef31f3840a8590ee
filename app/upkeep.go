package app

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"

	"fechatter/chat"
)

const (
	// memoryEvery is how often memory is checked.
	memoryEvery = 5 * time.Second
	// rushBytes is how much is allocated between two checks in a rush. An idle node
	// with thousands of connections allocates about 2 MiB.
	rushBytes = 8 << 20
)

// keepMemory returns to the system what a rush, such as of many clients connecting, has
// left behind: when little is allocated, no collection runs for minutes, and idle
// connections would keep the garbage of their start in memory.
func keepMemory(ctx context.Context) error {
	var m memory
	return every(ctx, memoryEvery, func() {
		if m.check(allocated()) {
			debug.FreeOSMemory()
		}
	})
}

// memory notices the end of a rush from successive checks.
type memory struct {
	allocated uint64 // bytes since the start
	rush      bool
}

// check reports whether a rush has ended: once for each.
func (m *memory) check(allocated uint64) bool {
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

// retentionLook is how often a node checks whether a sweep is due: when the node that
// does them dies, another takes over.
const retentionLook = time.Minute

// keepRetention deletes expired messages until ctx ends.
func (n *Node) keepRetention(ctx context.Context) error {
	return every(ctx, retentionLook, func() {
		deleted, err := n.chat.Expire(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			n.log.Warn("delete expired messages", "deleted", deleted, "error", err)
		case deleted > 0:
			n.log.Info("deleted expired messages", "deleted", deleted)
		}
	})
}

// deletionLook is how often a node looks for deleted chats. Former members who were not
// told by the chat's own log are told then.
const deletionLook = 5 * time.Second

// keepDeletion removes what is left of deleted chats until ctx ends.
func (n *Node) keepDeletion(ctx context.Context) error {
	return every(ctx, deletionLook, func() {
		purged, err := n.chat.Purge(ctx, chat.PurgeAfter)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			n.log.Warn("remove deleted chats", "removed", purged, "error", err)
		case purged > 0:
			n.log.Info("removed deleted chats", "removed", purged)
		}
	})
}
