package persistence

import (
	"context"
	"time"

	"fechatter/chat"
)

// leaseHeld is the condition that $1 is a lease and $2 its holder, in force.
func (d dialect) leaseHeld() string {
	return "EXISTS (SELECT 1 FROM leases WHERE name = $1 AND holder = $2 AND expires_at > " + d.now + ")"
}

// TakeLease takes or renews a lease for ttl by the database's clock, and answers
// whether the holder has it: it does not while another's is in force.
func (s *Store) TakeLease(ctx context.Context, l chat.Lease, ttl time.Duration) (held bool, err error) {
	err = s.update(ctx, "take lease", func(c *conn) ([]chat.Event, error) {
		n, err := c.exec(ctx, `INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, `+s.d.now+` + $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
			WHERE leases.holder = excluded.holder OR leases.expires_at <= `+s.d.now, l.Name, l.Holder, ttl.Milliseconds())
		held = n == 1
		return nil, err
	})
	return held && err == nil, err
}

// LeaveLease gives a lease back, if the holder has it.
func (s *Store) LeaveLease(ctx context.Context, l chat.Lease) error {
	return s.update(ctx, "leave lease", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "DELETE FROM leases WHERE name = $1 AND holder = $2", l.Name, l.Holder)
		return nil, err
	})
}
