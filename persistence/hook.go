package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"fechatter/chat"
)

const hookColumns = "h.id, h.chat_id, h.bot_id, h.name, h.created_by, h.created_at, h.last_used_at"

// hookScan is a row of hookColumns.
type hookScan struct {
	chat.Hook
	used chat.Time
}

func (h *hookScan) targets() []any {
	return []any{&h.ID, &h.ChatID, &h.BotID, &h.Name, &h.CreatedBy, &h.CreatedAt, &h.used}
}

func (h *hookScan) hook() chat.Hook {
	if h.used > 0 {
		h.LastUsedAt = &h.used
	}
	return h.Hook
}

func scanHook(rows *sql.Rows, into *chat.Hook) error {
	var h hookScan
	err := rows.Scan(h.targets()...)
	*into = h.hook()
	return err
}

// insertHook adds the hook of a new bot. Sign-ups come one at a time, so that the count holds.
func insertHook(ctx context.Context, c *conn, h chat.NewHook, now chat.Time) error {
	var have int
	if err := c.one(ctx, "SELECT count(*) FROM hooks WHERE chat_id = $1", []any{h.ChatID}, &have); err != nil {
		return fmt.Errorf("count hooks: %w", err)
	}
	if err := chat.AdmitHook(have); err != nil {
		return err
	}
	_, err := c.exec(ctx, "INSERT INTO hooks (id, chat_id, bot_id, name, secret_hash, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		h.ID, h.ChatID, h.BotID, h.Name, hex.EncodeToString(h.Hash), h.CreatedBy, int64(now))
	if err != nil {
		return fmt.Errorf("insert hook: %w", err)
	}
	return nil
}

// Hooks implements chat.HookStore.
func (s *Store) Hooks(ctx context.Context, chatID string, p chat.Page) (hooks []chat.Hook, next string, err error) {
	var at int64
	var id string
	paged, err := decodeAfter("hooks", p.After, &at, &id)
	if err != nil {
		return nil, "", err
	}
	query, args := "SELECT "+hookColumns+" FROM hooks h WHERE h.chat_id = $1", []any{chatID, p.Limit + 1}
	if paged {
		query, args = query+" AND (h.created_at < $3 OR h.created_at = $3 AND h.id < $4)", append(args, at, id)
	}
	err = s.view(ctx, s.pools.read, "list hooks", func(c *conn) error {
		hooks, err = collect(ctx, c, scanHook, query+" ORDER BY h.created_at DESC, h.id DESC LIMIT $2", args...)
		return err
	})
	return pageOf("hooks", hooks, err, p.Limit, func(h chat.Hook) []any { return []any{int64(h.CreatedAt), h.ID} })
}

// Hook implements chat.HookStore.
func (s *Store) Hook(ctx context.Context, id string) (_ chat.Hook, hash []byte, suspended bool, err error) {
	var h hookScan
	err = s.view(ctx, s.pools.read, "read hook", func(c *conn) error {
		var stored string
		err := c.one(ctx, "SELECT "+hookColumns+", h.secret_hash, u.suspended_at > 0 FROM hooks h JOIN users u ON u.id = h.bot_id WHERE h.id = $1",
			[]any{id}, append(h.targets(), &stored, &suspended)...)
		if err != nil {
			return orNotFound(err, noHook())
		}
		hash, err = hex.DecodeString(stored)
		return err
	})
	return h.hook(), hash, suspended, err
}

// TouchHook implements chat.HookStore.
func (s *Store) TouchHook(ctx context.Context, id string) error {
	return s.update(ctx, "touch hook", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		_, err = c.exec(ctx, "UPDATE hooks SET last_used_at = $2 WHERE id = $1 AND last_used_at <= $3", id, int64(now), int64(now.Add(-time.Minute)))
		return nil, err
	})
}

// DropHook implements chat.HookStore.
func (s *Store) DropHook(ctx context.Context, chatID, id string) (h chat.Hook, err error) {
	err = s.update(ctx, "drop hook", func(c *conn) ([]chat.Event, error) {
		found, err := collect(ctx, c, scanHook, "SELECT "+hookColumns+" FROM hooks h WHERE h.chat_id = $1 AND h.id = $2", chatID, id)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, noHook()
		}
		h = found[0]
		n, err := c.exec(ctx, "DELETE FROM hooks WHERE id = $1", id)
		return nil, oneRow(n, err, noHook())
	})
	return h, err
}

func noHook() *chat.Error { return chat.Errorf(chat.NotFound, "there is no such hook") }
