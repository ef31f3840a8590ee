package presence

import (
	"context"
	"net"
	"time"
)

// WithDial makes connections by dial.
func (c RedisConfig) WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) RedisConfig {
	c.dial = dial
	return c
}

// Patient gives every call as long as a busy machine may need.
func (c RedisConfig) Patient() RedisConfig {
	c.timeout = time.Minute
	return c
}

// CallTimeout bounds a call of a Redis that is not Patient.
const CallTimeout = redisTimeout

// View is what a viewer sees.
var View = view

// Leases returns the tracker's leases.
func (t *Tracker) Leases() Leases { return t.leases }

// Watched returns how many users are watched.
func (t *Tracker) Watched() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.watched)
}

// Empty reports whether the tracker holds nothing.
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

// Calm reports whether the next beat has nothing for the leases but renewals that
// are due.
func (t *Tracker) Calm() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.urgent)+len(t.released) == 0
}
