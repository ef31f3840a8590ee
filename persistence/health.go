package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// Ping asks the database for its time, on a connection reserved for that: it never
// waits for other work of this node.
func (s *Store) Ping(ctx context.Context) error {
	return s.view(ctx, s.pools.probe, "ping", func(c *conn) error {
		_, err := s.clock(ctx, c)
		return err
	})
}

// WriteCanary proves that the database takes writes: it advances the node's stream,
// which holds no events, and returns its new position. nodeID must not be the id
// of a chat or a user.
func (s *Store) WriteCanary(ctx context.Context, nodeID string) (seq int64, err error) {
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

// ReadCanary returns the position to which WriteCanary has advanced the node's
// stream, 0 at first. It uses the connection of Ping.
func (s *Store) ReadCanary(ctx context.Context, nodeID string) (seq int64, err error) {
	err = s.view(ctx, s.pools.probe, "read canary", func(c *conn) error {
		return c.one(ctx, "SELECT COALESCE(max(last_seq), 0) FROM streams WHERE id = $1", []any{nodeID}, &seq)
	})
	return seq, err
}
