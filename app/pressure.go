package app

import "fechatter/persistence"

// queueBytesLimit is how much may wait for slow sockets, all together, before
// that counts as much as a full queue of sends.
const queueBytesLimit = 512 << 20

// pressure is how near this node is to refusing sends: how full the queue of
// sends is, those under way included, or the memory that slow sockets take.
func (n *Node) pressure() float64 {
	sends := float64(n.parts.store.Stats().Waiting) / persistence.DefaultQueueLength
	return max(sends, float64(n.hub.Stats().QueuedBytes)/queueBytesLimit)
}
