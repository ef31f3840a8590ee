package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// Blocked implements chat.BlockStore.
func (s *Store) Blocked(ctx context.Context, userID string, p chat.Page) (users []chat.User, next string, err error) {
	var after string
	if _, err := decodeAfter("blocks", p.After, &after); err != nil {
		return nil, "", err
	}
	err = s.view(ctx, s.pools.read, "list blocked users", func(c *conn) error {
		users, err = collect(ctx, c, scanUser, "SELECT "+userColumns+` FROM blocks b JOIN users u ON u.id = b.blocked_id
			WHERE b.user_id = $1 AND u.username > $2 ORDER BY u.username LIMIT $3`, userID, after, p.Limit+1)
		return err
	})
	return pageOf("blocks", users, err, p.Limit, func(u chat.User) []any { return []any{u.Username} })
}

// BlockedIDs implements chat.BlockStore.
func (s *Store) BlockedIDs(ctx context.Context, userID string) (ids []string, err error) {
	err = s.view(ctx, s.pools.read, "list blocks", func(c *conn) error {
		ids, err = collect(ctx, c, scanString, "SELECT blocked_id FROM blocks WHERE user_id = $1", userID)
		return err
	})
	return ids, err
}

// SaveBlock implements chat.BlockTx.
func (t *changeTx) SaveBlock(ctx context.Context, userID, otherID string, blocked bool) (changed bool, count int, err error) {
	query, args := "DELETE FROM blocks WHERE user_id = $1 AND blocked_id = $2", []any{userID, otherID}
	if blocked {
		query = "INSERT INTO blocks (user_id, blocked_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (user_id, blocked_id) DO NOTHING"
		args = append(args, int64(t.now))
	}
	n, err := t.c.exec(ctx, query, args...)
	if t.s.d.classify(err) == failReference {
		return false, 0, noUser()
	}
	if err != nil {
		return false, 0, fmt.Errorf("save block: %w", err)
	}
	if err := t.c.one(ctx, "SELECT count(*) FROM blocks WHERE user_id = $1", []any{userID}, &count); err != nil {
		return false, 0, fmt.Errorf("count blocks: %w", err)
	}
	return n > 0, count, nil
}
