package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"fechatter/chat"
)

// TOTP implements chat.TOTPTx.
func (t *signInTx) TOTP(ctx context.Context) (v chat.TOTP, err error) {
	err = t.c.one(ctx, "SELECT secret, last_step, pending, pending_at FROM totp WHERE user_id = $1", []any{t.factors.User.ID},
		&v.Secret, &v.LastStep, &v.Pending, &v.PendingAt)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.TOTP{}, nil
	}
	return v, err
}

// SaveTOTP implements chat.TOTPTx.
func (t *signInTx) SaveTOTP(ctx context.Context, v chat.TOTP) error {
	_, err := t.c.exec(ctx, `INSERT INTO totp (user_id, secret, last_step, pending, pending_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = excluded.last_step,
			pending = excluded.pending, pending_at = excluded.pending_at`,
		t.factors.User.ID, v.Secret, v.LastStep, v.Pending, int64(v.PendingAt))
	if err != nil {
		return fmt.Errorf("save one-time codes: %w", err)
	}
	return nil
}

// DeleteTOTP implements chat.TOTPTx.
func (t *signInTx) DeleteTOTP(ctx context.Context) error {
	return deleteFactors(ctx, t.c, t.factors.User.ID, "totp", "recovery_codes")
}

// RecoveryCodes implements chat.TOTPTx.
func (t *signInTx) RecoveryCodes(ctx context.Context) ([]string, error) {
	return collect(ctx, t.c, scanString, "SELECT hash FROM recovery_codes WHERE user_id = $1 ORDER BY hash", t.factors.User.ID)
}

// ReplaceRecoveryCodes implements chat.TOTPTx.
func (t *signInTx) ReplaceRecoveryCodes(ctx context.Context, hashes []string) error {
	if err := deleteFactors(ctx, t.c, t.factors.User.ID, "recovery_codes"); err != nil {
		return err
	}
	for _, hash := range hashes {
		if _, err := t.c.exec(ctx, "INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)", t.factors.User.ID, hash); err != nil {
			return fmt.Errorf("insert recovery code: %w", err)
		}
	}
	return nil
}

// DeleteRecoveryCode implements chat.TOTPTx.
func (t *signInTx) DeleteRecoveryCode(ctx context.Context, hash string) error {
	_, err := t.c.exec(ctx, "DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2", t.factors.User.ID, hash)
	return err
}

// DeleteFactors implements chat.AdminTx.
func (t *adminTx) DeleteFactors(ctx context.Context, userID string) error {
	return deleteFactors(ctx, t.c, userID, "totp", "recovery_codes", "challenges", "passkeys")
}

func deleteFactors(ctx context.Context, c *conn, userID string, tables ...string) error {
	for _, table := range tables {
		if _, err := c.exec(ctx, "DELETE FROM "+table+" WHERE user_id = $1", userID); err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	return nil
}
