package app

import (
	"fechatter/persistence"

	"github.com/prometheus/client_golang/prometheus"
)

// queueBytesLimit is how much may wait for slow sockets, all together, before
// that counts as much as a full queue of sends.
const queueBytesLimit = 512 << 20

// pressure is how near this node is to refusing sends: how full the queue of
// sends is, those under way included, or the memory that slow sockets take.
func (n *Node) pressure() float64 {
	sends := float64(n.parts.store.Stats().Waiting) / persistence.DefaultQueueLength
	return max(sends, float64(n.hub.Stats().QueuedBytes)/queueBytesLimit)
}

func shedCollector(tier func() int) prometheus.Collector {
	return collector[int]{tier, []series[int]{
		gauge("fechatter_shedding_tier", "What this node drops under load: 0 nothing, 1 typing, 2 presence as well, 3 cursors of others as well.",
			func(tier int) float64 { return float64(tier) }),
	}}
}
