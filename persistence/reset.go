package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"fechatter/chat"
)

// AnswerReset implements chat.AccountStore.
func (s *Store) AnswerReset(ctx context.Context, j chat.ClaimedJob, r chat.ResetRequest, letter func(u chat.User, address string) chat.Letter) error {
	return s.update(ctx, "answer reset", func(c *conn) ([]chat.Event, error) {
		ours, err := finishJob(ctx, c, j)
		if err != nil || !ours {
			return nil, err
		}
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		var u chat.User
		var address string
		err = c.one(ctx, `SELECT u.id, u.email FROM users u WHERE u.email_verified = 1 AND u.suspended_at = 0 AND u.password_hash <> ''
			AND (u.username = $1 AND $1 <> '' OR u.email_key = $2 AND $2 <> '')`+s.d.lock, []any{r.Username, chat.EmailKey(r.Email)}, &u.ID, &address)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("find account: %w", err)
		}
		err = s.putLetter(ctx, c, now, letter(u, address))
		if chat.CodeOf(err) == chat.RateLimited {
			err = nil // it had its letters, and each of them still works
		}
		return nil, err
	})
}

// ResetUser implements chat.AccountStore.
func (s *Store) ResetUser(ctx context.Context, hash []byte) (u chat.User, err error) {
	err = s.view(ctx, s.pools.read, "read code", func(c *conn) error {
		now, err := s.clock(ctx, c)
		if err != nil {
			return err
		}
		code, err := s.readCode(ctx, c, chat.ForReset, hash, now, "")
		if err != nil {
			return err
		}
		u, err = readUser(ctx, c, "u.id = $1", code.Subject)
		return err
	})
	return u, err
}

// ResetPassword implements chat.AccountStore. The user's stream is locked first, as by
// everything that revokes sessions.
func (s *Store) ResetPassword(ctx context.Context, hash []byte, passwordHash string, notice *chat.Letter) error {
	u, err := s.ResetUser(ctx, hash)
	if err != nil {
		return err
	}
	return s.update(ctx, "reset password", func(c *conn) ([]chat.Event, error) {
		st, now, err := s.lockUser(ctx, c, u.ID)
		if err != nil {
			return nil, err
		}
		if _, err := s.readCode(ctx, c, chat.ForReset, hash, now, s.d.lock); err != nil {
			return nil, err
		}
		if _, err := c.exec(ctx, "UPDATE users SET password_hash = $2 WHERE id = $1", u.ID, passwordHash); err != nil {
			return nil, fmt.Errorf("save password: %w", err)
		}
		if err := endCodes(ctx, c, chat.ForReset, u.ID); err != nil {
			return nil, err
		}
		if err := s.tell(ctx, c, now, u.ID, notice); err != nil {
			return nil, err
		}
		sessions, err := collect(ctx, c, scanString, "SELECT id FROM sessions WHERE user_id = $1 ORDER BY id", u.ID)
		if err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		return s.revoke(ctx, c, st, now, sessions)
	})
}
