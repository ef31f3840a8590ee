package persistence

import (
	"context"
	"fmt"
	"strconv"

	"fechatter/chat"
)

// carriedName begins the names of rows in meta for histories that came here from
// another database: carried.HISTORY holds the epoch by which clients know HISTORY.
const carriedName = "carried."

// epochOf turns the expression that names a history of this database into that of
// the epoch: a history that was carried here keeps the name by which its clients
// know it, for as long as it is the same history.
func epochOf(history string) string {
	return "(SELECT COALESCE(k.value, own.name) FROM (SELECT " + history + " AS name) AS own" +
		" LEFT JOIN meta k ON k.name = '" + carriedName + "' || own.name)"
}

// carryEpoch makes the history of c's database known by an epoch from elsewhere.
func carryEpoch(ctx context.Context, c *conn, d dialect, epoch string) error {
	var own string
	if err := c.one(ctx, "SELECT "+d.history, nil, &own); err != nil {
		return fmt.Errorf("read epoch: %w", err)
	}
	_, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		carriedName+own, epoch)
	if err != nil {
		return fmt.Errorf("carry epoch: %w", err)
	}
	return nil
}

// RenewEpoch gives the database's history a new name, and numbers its transactions from
// above all that a server it was dumped from can have given. Call it after restoring a
// backup, before any node starts.
func (s *Store) RenewEpoch(ctx context.Context) error {
	return s.update(ctx, "renew epoch", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1", metaEpoch, s.newID())
		if err == nil {
			err = s.skipTransactions(ctx, c)
		}
		return nil, err
	})
}

// skipTransactions leaves out more transactions than a server ever ran.
func (s *Store) skipTransactions(ctx context.Context, c *conn) error {
	var horizon int64
	if err := c.one(ctx, "SELECT "+s.d.horizon, nil, &horizon); err != nil {
		return fmt.Errorf("read horizon: %w", err)
	}
	return numberAfter(ctx, c, s.d, horizon+1<<40)
}

// numberAfter makes c's database number its transactions from a horizon on. It waits
// for those under way.
func numberAfter(ctx context.Context, c *conn, d dialect, horizon int64) error {
	from := strconv.FormatInt(horizon, 10)
	if d.tx == nil {
		if _, err := c.exec(ctx, "ALTER TABLE events ALTER COLUMN tx SET DEFAULT txid_current() + "+from); err != nil {
			return fmt.Errorf("number transactions: %w", err)
		}
	}
	if _, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1", metaTransactions, from); err != nil {
		return fmt.Errorf("number transactions: %w", err)
	}
	return nil
}

// Epoch implements chat.EventStore.
func (s *Store) Epoch(ctx context.Context) (epoch string, now chat.Time, err error) {
	err = s.view(ctx, s.pools.read, "read epoch", func(c *conn) error {
		return c.one(ctx, "SELECT "+s.d.epoch+", "+s.d.now, nil, &epoch, &now)
	})
	return epoch, now, err
}
