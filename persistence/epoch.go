package persistence

import (
	"context"
	"fmt"
)

// carriedName begins the names of rows of meta that say what clients call a
// history which came here from another database: carried.HISTORY is their name.
const carriedName = "carried."

// carryEpoch lets the history of the transaction's database be known by a name
// from elsewhere.
func carryEpoch(ctx context.Context, c *conn, d dialect, told string) error {
	var own string
	if err := c.one(ctx, "SELECT "+d.history, nil, &own); err != nil {
		return fmt.Errorf("read epoch: %w", err)
	}
	_, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		carriedName+own, told)
	if err != nil {
		return fmt.Errorf("carry epoch: %w", err)
	}
	return nil
}
