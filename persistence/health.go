package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// Ping asks the database for its time, on a connection kept for that: it waits
// for no other work of this node.
func (s *Store) Ping(ctx context.Context) error {
	return s.view(ctx, s.pools.probe, "ping", func(c *conn) error {
		_, err := s.clock(ctx, c)
		return err
	})
}

// Canary proves that the database takes writes: it moves the stream of the node,
// which holds no events, and answers its new position. nodeID must be no id of
// a chat or a user.
func (s *Store) Canary(ctx context.Context, nodeID string) (seq int64, err error) {
	err = s.write(ctx, s.pools.canary, func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "INSERT INTO streams (id, last_seq, last_ts) VALUES ($1, 1, "+s.d.now+
			") ON CONFLICT (id) DO UPDATE SET last_seq = streams.last_seq + 1, last_ts = excluded.last_ts", nodeID)
		if err != nil {
			return nil, fmt.Errorf("move canary: %w", err)
		}
		return nil, c.one(ctx, "SELECT last_seq FROM streams WHERE id = $1", []any{nodeID}, &seq)
	})
	return seq, s.mapError(err, "canary")
}

// CanaryPosition reads where Canary has moved the node's stream, on the
// connection of Ping; 0: nowhere yet.
func (s *Store) CanaryPosition(ctx context.Context, nodeID string) (seq int64, err error) {
	err = s.view(ctx, s.pools.probe, "read canary", func(c *conn) error {
		return c.one(ctx, "SELECT COALESCE(max(last_seq), 0) FROM streams WHERE id = $1", []any{nodeID}, &seq)
	})
	return seq, err
}

// RenewEpoch gives the database's history a new name. It is to be called after a
// backup was restored, before any node starts.
func (s *Store) RenewEpoch(ctx context.Context) error {
	return s.update(ctx, "renew epoch", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1", metaEpoch, s.newID())
		return nil, err
	})
}
