package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
)

const passkeyColumns = "p.id, p.user_id, p.name, p.credential, p.data, p.counter, p.created_at, p.last_used_at" //nolint:gosec // names of columns

func scanPasskey(rows *sql.Rows, p *chat.Passkey) error {
	var used chat.Time
	err := rows.Scan(&p.ID, &p.UserID, &p.Name, &p.Credential, &p.Data, &p.Counter, &p.CreatedAt, &used)
	if used > 0 {
		p.LastUsedAt = &used
	}
	return err
}

func noPasskey() *chat.Error { return chat.Errorf(chat.NotFound, "there is no such passkey") }

// Passkeys implements chat.SignInStore.
func (s *Store) Passkeys(ctx context.Context, userID string, p chat.Page) (found []chat.Passkey, next string, err error) {
	var after string
	if _, err := decodeAfter("passkeys", p.After, &after); err != nil {
		return nil, "", err
	}
	err = s.view(ctx, s.pools.read, "list passkeys", func(c *conn) error {
		found, err = collect(ctx, c, scanPasskey, "SELECT "+passkeyColumns+` FROM passkeys p
			WHERE p.user_id = $1 AND p.id > $2 ORDER BY p.id LIMIT $3`, userID, after, p.Limit+1)
		return err
	})
	return pageOf("passkeys", found, err, p.Limit, func(p chat.Passkey) []any { return []any{p.ID} })
}

// PasskeyOf implements chat.SignInStore.
func (s *Store) PasskeyOf(ctx context.Context, credential string) (p chat.Passkey, err error) {
	err = s.view(ctx, s.pools.read, "read passkey", func(c *conn) error {
		found, err := collect(ctx, c, scanPasskey, "SELECT "+passkeyColumns+" FROM passkeys p WHERE p.credential = $1", credential)
		if err == nil && len(found) == 0 {
			err = noPasskey()
		}
		if err == nil {
			p = found[0]
		}
		return err
	})
	return p, err
}

// Passkeys implements chat.PasskeyTx.
func (t *signInTx) Passkeys(ctx context.Context) ([]chat.Passkey, error) {
	return collect(ctx, t.c, scanPasskey, "SELECT "+passkeyColumns+" FROM passkeys p WHERE p.user_id = $1 ORDER BY p.id", t.factors.User.ID)
}

// InsertPasskey implements chat.PasskeyTx.
func (t *signInTx) InsertPasskey(ctx context.Context, p chat.Passkey) error {
	n, err := t.c.exec(ctx, `INSERT INTO passkeys (id, user_id, name, credential, data, counter, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (credential) DO NOTHING`,
		p.ID, p.UserID, p.Name, p.Credential, p.Data, int64(p.Counter), int64(p.CreatedAt))
	if err != nil {
		return fmt.Errorf("insert passkey: %w", err)
	}
	if n == 0 {
		return chat.Errorf(chat.Conflict, "this passkey is here already")
	}
	return nil
}

// SavePasskey implements chat.PasskeyTx.
func (t *signInTx) SavePasskey(ctx context.Context, p chat.Passkey) error {
	var used int64
	if p.LastUsedAt != nil {
		used = int64(*p.LastUsedAt)
	}
	n, err := t.c.exec(ctx, "UPDATE passkeys SET data = $2, counter = $3, last_used_at = $4 WHERE id = $1", p.ID, p.Data, int64(p.Counter), used)
	return oneRow(n, err, noPasskey())
}

// DeletePasskey implements chat.PasskeyTx.
func (t *signInTx) DeletePasskey(ctx context.Context, id string) error {
	n, err := t.c.exec(ctx, "DELETE FROM passkeys WHERE user_id = $1 AND id = $2", t.factors.User.ID, id)
	return oneRow(n, err, noPasskey())
}

// Spend implements chat.PasskeyTx.
func (t *signInTx) Spend(ctx context.Context, mark string, until chat.Time) error {
	return spend(ctx, t.c, mark, t.now, until)
}
