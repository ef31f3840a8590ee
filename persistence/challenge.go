package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// Challenge implements chat.SignInStore.
func (s *Store) Challenge(ctx context.Context, hash string) (v chat.Challenge, err error) {
	err = s.view(ctx, s.pools.read, "read challenge", func(c *conn) error {
		v, err = readChallenge(ctx, c, hash)
		return err
	})
	return v, err
}

func readChallenge(ctx context.Context, c *conn, hash string) (v chat.Challenge, err error) {
	err = c.one(ctx, "SELECT hash, user_id, password, failures, expires_at FROM challenges WHERE hash = $1", []any{hash},
		&v.Hash, &v.UserID, &v.Password, &v.Failures, &v.ExpiresAt)
	return v, orNotFound(err, chat.Errorf(chat.NotFound, "there is no such challenge"))
}

// Challenge implements chat.ChallengeTx.
func (t *signInTx) Challenge(ctx context.Context, hash string) (chat.Challenge, error) {
	return readChallenge(ctx, t.c, hash)
}

// InsertChallenge implements chat.ChallengeTx.
func (t *signInTx) InsertChallenge(ctx context.Context, v chat.Challenge) error {
	if err := sweep(ctx, t.c, "challenges", "hash", t.now); err != nil {
		return err
	}
	_, err := t.c.exec(ctx, "INSERT INTO challenges (hash, user_id, password, failures, expires_at) VALUES ($1, $2, $3, $4, $5)",
		v.Hash, v.UserID, v.Password, v.Failures, int64(v.ExpiresAt))
	if err != nil {
		return fmt.Errorf("insert challenge: %w", err)
	}
	return nil
}

// SaveFailures implements chat.ChallengeTx.
func (t *signInTx) SaveFailures(ctx context.Context, hash string, failures int) error {
	_, err := t.c.exec(ctx, "UPDATE challenges SET failures = $2 WHERE hash = $1", hash, failures)
	return err
}

// DeleteChallenge implements chat.ChallengeTx.
func (t *signInTx) DeleteChallenge(ctx context.Context, hash string) error {
	_, err := t.c.exec(ctx, "DELETE FROM challenges WHERE hash = $1", hash)
	return err
}
