package persistence

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"fechatter/chat"
)

// spentSweep is how many rows that no longer count an insertion removes at most.
const spentSweep = 100

const factorColumns = userColumns + `, u.password_hash, u.administrator, u.suspended_at > 0,
	EXISTS (SELECT 1 FROM totp t WHERE t.user_id = u.id AND t.secret <> ''),
	(SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id),
	(SELECT count(*) FROM passkeys p WHERE p.user_id = u.id)`

func readFactors(ctx context.Context, c *conn, userID string) (f chat.Factors, err error) {
	err = oneUser(ctx, c, &f.User, "SELECT "+factorColumns+" FROM users u WHERE u.id = $1", []any{userID},
		&f.PasswordHash, &f.Administrator, &f.Suspended, &f.TOTP, &f.RecoveryCodes, &f.Passkeys)
	return f, err
}

// Factors implements chat.SignInStore.
func (s *Store) Factors(ctx context.Context, userID string) (f chat.Factors, err error) {
	err = s.view(ctx, s.pools.read, "read factors", func(c *conn) error {
		f, err = readFactors(ctx, c, userID)
		return err
	})
	return f, err
}

// SignIn implements chat.SignInStore. What it decides on is read by later statements
// than the one that waits for the lock.
func (s *Store) SignIn(ctx context.Context, userID string, fn func(context.Context, chat.SignInTx) error) error {
	return s.update(ctx, "sign in", func(c *conn) ([]chat.Event, error) {
		var id string
		err := c.one(ctx, "SELECT id FROM users WHERE id = $1"+s.d.lock, []any{userID}, &id)
		if err != nil {
			return nil, orNotFound(err, noUser())
		}
		t := &signInTx{s: s, c: c}
		if t.now, err = s.clock(ctx, c); err != nil {
			return nil, err
		}
		if t.factors, err = readFactors(ctx, c, userID); err != nil {
			return nil, err
		}
		return nil, fn(ctx, t)
	})
}

// signInTx is a chat.SignInTx.
type signInTx struct {
	s       *Store
	c       *conn
	now     chat.Time
	factors chat.Factors
}

// Now implements chat.SignInTx.
func (t *signInTx) Now() chat.Time { return t.now }

// Factors implements chat.SignInTx.
func (t *signInTx) Factors() chat.Factors { return t.factors }

// InsertSession implements chat.SignInTx.
func (t *signInTx) InsertSession(ctx context.Context, v chat.Session, tokenHash []byte) error {
	_, err := t.c.exec(ctx, `INSERT INTO sessions (id, user_id, device, token_hash, created_at, last_used_at, expires_at, method, issuer, subject, provider_session)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, v.ID, v.UserID, v.Device, hex.EncodeToString(tokenHash),
		int64(v.CreatedAt), int64(v.LastUsedAt), int64(v.ExpiresAt), string(v.Method), v.Issuer, v.Subject, v.ProviderSession)
	if err != nil {
		return fmt.Errorf("insert session: %w", err)
	}
	return nil
}

// Spend implements chat.SignInStore.
func (s *Store) Spend(ctx context.Context, mark string, lasts time.Duration) error {
	return s.update(ctx, "spend", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		return nil, spend(ctx, c, mark, now, now.Add(lasts))
	})
}

// Spent implements chat.SignInStore.
func (s *Store) Spent(ctx context.Context, mark string) (spent bool, err error) {
	err = s.view(ctx, s.pools.read, "look for a mark", func(c *conn) error {
		return c.one(ctx, "SELECT EXISTS (SELECT 1 FROM spent WHERE mark = $1)", []any{mark}, &spent)
	})
	return spent, err
}

// spend marks something as used.
func spend(ctx context.Context, c *conn, mark string, now, until chat.Time) error {
	if err := sweep(ctx, c, "spent", "mark", now); err != nil {
		return err
	}
	n, err := c.exec(ctx, "INSERT INTO spent (mark, expires_at) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING", mark, int64(until))
	if err != nil {
		return fmt.Errorf("spend: %w", err)
	}
	if n == 0 {
		return chat.Errorf(chat.Conflict, "this was used before")
	}
	return nil
}

// sweep removes some of the rows of a table that have expired.
func sweep(ctx context.Context, c *conn, table, key string, now chat.Time) error {
	_, err := c.exec(ctx, "DELETE FROM "+table+" WHERE "+key+" IN (SELECT "+key+" FROM "+table+
		" WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)", int64(now), spentSweep)
	if err != nil {
		return fmt.Errorf("sweep %s: %w", table, err)
	}
	return nil
}
