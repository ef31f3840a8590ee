package presence

import (
	"context"
	"net"
)

// WithDial makes connections by dial.
func (c RedisConfig) WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) RedisConfig {
	c.dial = dial
	return c
}

// View is what a viewer sees.
var View = view

// Leases are those of the tracker.
func (t *Tracker) Leases() Leases { return t.leases }

// Watched is how many users are watched.
func (t *Tracker) Watched() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.watched)
}

// Empty says whether the tracker holds nothing.
func (t *Tracker) Empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.people) + len(t.urgent) + len(t.released) + len(t.watched) + len(t.starting) + len(t.changed) + len(t.announce) + len(t.gone)
	for _, slot := range t.renewals.slots {
		n += len(slot)
	}
	for _, slot := range t.rereads.slots {
		n += len(slot)
	}
	for _, slot := range t.rechecks.slots {
		n += len(slot)
	}
	return n == 0
}

// Calm says whether the next beat has nothing to tell the leases but what is
// due by time.
func (t *Tracker) Calm() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.urgent)+len(t.released) == 0
}
