package persistence

import (
	"context"
	"time"

	"fechatter/chat"
)

// leaseHeld is the condition that $2 holds the lease $1 at this moment.
func (d dialect) leaseHeld() string {
	return "EXISTS (SELECT 1 FROM leases WHERE name = $1 AND holder = $2 AND expires_at > " + d.now + ")"
}

// AcquireLease acquires or renews a lease for ttl by the database's clock and reports
// whether l.Holder has it, which is not the case while somebody else does. All holders
// acquire it for about the same time: one that would last more than twice as long is from
// before that clock went back, and keeps nobody out.
func (s *Store) AcquireLease(ctx context.Context, l chat.Lease, ttl time.Duration) (held bool, err error) {
	err = s.update(ctx, "acquire lease", func(c *conn) ([]chat.Event, error) {
		n, err := c.exec(ctx, `INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, `+s.d.now+` + $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
			WHERE leases.holder = excluded.holder OR leases.expires_at <= `+s.d.now+` OR leases.expires_at > `+s.d.now+` + 2 * $3`, l.Name, l.Holder, ttl.Milliseconds())
		held = n == 1
		return nil, err
	})
	return held && err == nil, err
}

// ReleaseLease releases a lease if the holder has it.
func (s *Store) ReleaseLease(ctx context.Context, l chat.Lease) error {
	return s.update(ctx, "release lease", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "DELETE FROM leases WHERE name = $1 AND holder = $2", l.Name, l.Holder)
		return nil, err
	})
}
