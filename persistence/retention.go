package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fechatter/chat"
)

const dayMillis = 24 * 60 * 60 * 1000

const retentionColumns = "c.id, c.kind, c.name, c.created_at, c.retention_days"

func scanRetention(rows *sql.Rows, r *chat.Retention) error {
	return rows.Scan(&r.ChatID, &r.Kind, &r.Name, &r.CreatedAt, &r.Days)
}

// Retentions implements chat.RetentionStore.
func (s *Store) Retentions(ctx context.Context, q string, p chat.Page) (chats []chat.Retention, next string, err error) {
	var after string
	if _, err := decodeAfter("retentions", p.After, &after); err != nil {
		return nil, "", err
	}
	err = s.view(ctx, s.pools.read, "list retentions", func(c *conn) error {
		chats, err = collect(ctx, c, scanRetention, "SELECT "+retentionColumns+` FROM chats c
			WHERE c.id > $1 AND c.deleted_at = 0 AND c.search LIKE $2 ESCAPE '\' ORDER BY c.id LIMIT $3`, after, pattern(q), p.Limit+1)
		return err
	})
	return pageOf("retentions", chats, err, p.Limit, func(r chat.Retention) []any { return []any{r.ChatID} })
}

// Retention implements chat.AdminTx.
func (t *adminTx) Retention(ctx context.Context, chatID string) (chat.Retention, error) {
	found, err := collect(ctx, t.c, scanRetention, "SELECT "+retentionColumns+" FROM chats c WHERE c.id = $1 AND c.deleted_at = 0", chatID)
	if err != nil {
		return chat.Retention{}, fmt.Errorf("read retention: %w", err)
	}
	if len(found) == 0 {
		return chat.Retention{}, noChat()
	}
	return found[0], nil
}

// SaveRetention implements chat.AdminTx.
func (t *adminTx) SaveRetention(ctx context.Context, chatID string, days int) error {
	n, err := t.c.exec(ctx, "UPDATE chats SET retention_days = $2 WHERE id = $1", chatID, days)
	return oneRow(n, err, noChat())
}

// ClaimRetention implements chat.RetentionStore. A row of meta holds when the next
// sweep is due, in 13 digits so that text compares like time, and whose it is.
func (s *Store) ClaimRetention(ctx context.Context, sweep string, lasts time.Duration) (ours bool, err error) {
	err = s.update(ctx, "claim retention", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		n, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1 AND (value <= $3 OR value LIKE $4)", metaRetentionDue,
			fmt.Sprintf("%013d %s", int64(now.Add(lasts)), sweep), fmt.Sprintf("%013d~", int64(now)), "% "+sweep)
		ours = n == 1
		return nil, err
	})
	return ours, err
}

// ExpiringChats implements chat.RetentionStore.
func (s *Store) ExpiringChats(ctx context.Context, after string, limit int) (chats []chat.Expiring, err error) {
	err = s.view(ctx, s.pools.read, "list chats with retention", func(c *conn) error {
		chats, err = collect(ctx, c, func(rows *sql.Rows, e *chat.Expiring) error {
			return rows.Scan(&e.ChatID, &e.Days, &e.From, &e.Before)
		}, fmt.Sprintf(`SELECT id, retention_days, expired_before, %s - retention_days * CAST(%d AS BIGINT)
			FROM chats WHERE retention_days > 0 AND id > $1 ORDER BY id LIMIT $2`, s.d.now, dayMillis), after, limit)
		return err
	})
	return chats, err
}

// ExpiredMessages implements chat.RetentionStore.
func (s *Store) ExpiredMessages(ctx context.Context, e chat.Expiring, limit int) (ids []string, err error) {
	err = s.view(ctx, s.pools.read, "find expired messages", func(c *conn) error {
		ids, err = collect(ctx, c, scanString, `SELECT m.id FROM messages m JOIN chats c ON c.id = m.chat_id AND c.retention_days = $2
			WHERE m.chat_id = $1 AND m.created_at >= $3 AND m.created_at < $4 AND m.deleted_at IS NULL
			ORDER BY m.created_at LIMIT $5`, e.ChatID, e.Days, int64(e.From), int64(e.Before), limit)
		return err
	})
	return ids, err
}

// SaveExpired implements chat.RetentionStore.
func (s *Store) SaveExpired(ctx context.Context, e chat.Expiring) error {
	return s.update(ctx, "save retention", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE chats SET expired_before = $3 WHERE id = $1 AND retention_days = $2 AND expired_before < $3",
			e.ChatID, e.Days, int64(e.Before))
		return nil, err
	})
}
