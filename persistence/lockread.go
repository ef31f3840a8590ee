//go:build !mutate_lock_read

package persistence

import "context"

// lockThenRead reads what decides about a send by statements that begin after
// the lock was got.
func (g *group) lockThenRead(ctx context.Context, c *conn, suffix string) error {
	if err := g.lock(ctx, c, suffix); err != nil {
		return err
	}
	return g.read(ctx, c, g.s.sql.facts)
}
