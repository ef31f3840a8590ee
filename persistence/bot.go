package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"

	"fechatter/chat"
)

const keyColumns = "k.id, k.bot_id, k.name, k.scopes, k.created_by, k.created_at, k.last_used_at, k.expires_at"

// keyScan is a row of keyColumns.
type keyScan struct {
	chat.Key
	scopes        string
	used, expires chat.Time
}

func (k *keyScan) targets() []any {
	return []any{&k.ID, &k.BotID, &k.Name, &k.scopes, &k.CreatedBy, &k.CreatedAt, &k.used, &k.expires}
}

func (k *keyScan) key() (_ chat.Key, err error) {
	if k.used > 0 {
		k.LastUsedAt = &k.used
	}
	if k.expires > 0 {
		k.ExpiresAt = &k.expires
	}
	if k.Scopes, err = chat.ParseScopes(strings.Fields(k.scopes)); err != nil {
		return chat.Key{}, fmt.Errorf("read scopes of key %s: %w", k.ID, err)
	}
	return k.Key, nil
}

func scanKey(rows *sql.Rows, into *chat.Key) error {
	var k keyScan
	err := rows.Scan(k.targets()...)
	if err == nil {
		*into, err = k.key()
	}
	return err
}

// Bots implements chat.BotStore.
func (s *Store) Bots(ctx context.Context, madeBy string, p chat.Page) (bots []chat.Bot, next string, err error) {
	var after string
	if _, err := decodeAfter("bots", p.After, &after); err != nil {
		return nil, "", err
	}
	query, args := "SELECT "+userColumns+", u.bot_by FROM users u WHERE u.bot_by <> '' AND u.username > $1", []any{after, p.Limit + 1}
	if madeBy != "" {
		query, args = query+" AND u.bot_by = $3", append(args, madeBy)
	}
	err = s.view(ctx, s.pools.read, "list bots", func(c *conn) error {
		bots, err = collect(ctx, c, scanBot, query+" ORDER BY u.username LIMIT $2", args...)
		return err
	})
	return pageOf("bots", bots, err, p.Limit, func(b chat.Bot) []any { return []any{b.Username} })
}

func scanBot(rows *sql.Rows, b *chat.Bot) error {
	err := rows.Scan(append(userTargets(&b.User), &b.MadeBy)...)
	b.Status = liveStatus(b.Status)
	return err
}

// Keys implements chat.BotStore.
func (s *Store) Keys(ctx context.Context, botID string, p chat.Page) (keys []chat.Key, next string, err error) {
	var at int64
	var id string
	paged, err := decodeAfter("keys", p.After, &at, &id)
	if err != nil {
		return nil, "", err
	}
	query, args := "SELECT "+keyColumns+" FROM bot_keys k WHERE k.bot_id = $1", []any{botID, p.Limit + 1}
	if paged {
		query, args = query+" AND (k.created_at < $3 OR k.created_at = $3 AND k.id < $4)", append(args, at, id)
	}
	err = s.view(ctx, s.pools.read, "list keys", func(c *conn) error {
		keys, err = collect(ctx, c, scanKey, query+" ORDER BY k.created_at DESC, k.id DESC LIMIT $2", args...)
		return err
	})
	return pageOf("keys", keys, err, p.Limit, func(k chat.Key) []any { return []any{int64(k.CreatedAt), k.ID} })
}

// KeyByToken implements chat.BotStore.
func (s *Store) KeyByToken(ctx context.Context, tokenHash []byte) (key chat.Key, suspended bool, now chat.Time, err error) {
	err = s.view(ctx, s.pools.read, "read key", func(c *conn) error {
		var k keyScan
		err := c.one(ctx, "SELECT "+keyColumns+", u.suspended_at > 0, "+s.d.now+" FROM bot_keys k JOIN users u ON u.id = k.bot_id WHERE k.token_hash = $1",
			[]any{hex.EncodeToString(tokenHash)}, append(k.targets(), &suspended, &now)...)
		if err == nil {
			key, err = k.key()
		}
		return orNotFound(err, noKey())
	})
	return key, suspended, now, err
}

// TouchKey implements chat.BotStore.
func (s *Store) TouchKey(ctx context.Context, keyID string) error {
	return s.update(ctx, "touch key", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		n, err := c.exec(ctx, "UPDATE bot_keys SET last_used_at = $2 WHERE id = $1 AND (expires_at = 0 OR expires_at > $2)", keyID, int64(now))
		return nil, oneRow(n, err, noKey())
	})
}

// Record implements chat.BotStore.
func (s *Store) Record(ctx context.Context, e chat.AuditEntry) error {
	return s.update(ctx, "record", func(c *conn) (_ []chat.Event, err error) {
		if e.At, err = s.clock(ctx, c); err != nil {
			return nil, err
		}
		return nil, record(ctx, c, e)
	})
}

// CountKeys implements chat.AdminTx. What has expired does not count.
func (t *adminTx) CountKeys(ctx context.Context, botID string) (n int, err error) {
	err = t.c.one(ctx, "SELECT count(*) FROM bot_keys WHERE bot_id = $1 AND (expires_at = 0 OR expires_at > $2)", []any{botID, int64(t.now)}, &n)
	if err != nil {
		return 0, fmt.Errorf("count keys: %w", err)
	}
	return n, nil
}

// InsertKey implements chat.AdminTx.
func (t *adminTx) InsertKey(ctx context.Context, k chat.Key, tokenHash []byte) error {
	var expires chat.Time
	if k.ExpiresAt != nil {
		expires = *k.ExpiresAt
	}
	_, err := t.c.exec(ctx, `INSERT INTO bot_keys (id, bot_id, name, scopes, token_hash, created_by, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, k.ID, k.BotID, k.Name, strings.Join(k.Scopes.Names(), " "),
		hex.EncodeToString(tokenHash), k.CreatedBy, int64(k.CreatedAt), int64(expires))
	if err != nil {
		return fmt.Errorf("insert key: %w", err)
	}
	return nil
}

// DeleteKey implements chat.AdminTx.
func (t *adminTx) DeleteKey(ctx context.Context, botID, keyID string) (chat.Key, error) {
	found, err := collect(ctx, t.c, scanKey, "SELECT "+keyColumns+" FROM bot_keys k WHERE k.bot_id = $1 AND k.id = $2", botID, keyID)
	if err != nil {
		return chat.Key{}, err
	}
	if len(found) == 0 {
		return chat.Key{}, noKey()
	}
	return found[0], t.end(ctx, botID, []string{keyID})
}

// end revokes sessions and keys of a user.
func (t *adminTx) end(ctx context.Context, userID string, ids []string) error {
	st := t.streams[userID]
	if st == nil {
		return noUser()
	}
	events, err := t.s.revoke(ctx, t.c, st, t.now, ids)
	t.events = append(t.events, events...)
	return err
}

func noKey() *chat.Error { return chat.Errorf(chat.NotFound, "there is no such key") }
