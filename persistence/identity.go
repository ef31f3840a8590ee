package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// UserByIdentity implements chat.IdentityStore.
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (u chat.User, appointed bool, err error) {
	err = s.view(ctx, s.pools.read, "read identity", func(c *conn) error {
		return oneUser(ctx, c, &u, "SELECT "+userColumns+`, i.appointed = 1 FROM identities i JOIN users u ON u.id = i.user_id
			WHERE i.issuer = $1 AND i.subject = $2`, []any{issuer, subject}, &appointed)
	})
	return u, appointed, err
}

// UserByVerifiedEmail implements chat.IdentityStore.
func (s *Store) UserByVerifiedEmail(ctx context.Context, email string) (u chat.User, err error) {
	err = s.view(ctx, s.pools.read, "find by address", func(c *conn) error {
		u, err = readUser(ctx, c, "u.email_key = $1 AND u.email_verified = 1", chat.EmailKey(email))
		return err
	})
	return u, err
}

// LinkIdentity implements chat.IdentityStore.
func (s *Store) LinkIdentity(ctx context.Context, userID string, id chat.Identity) error {
	return s.update(ctx, "link identity", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		return nil, insertIdentity(ctx, c, userID, id, now)
	})
}

func insertIdentity(ctx context.Context, c *conn, userID string, id chat.Identity, now chat.Time) error {
	n, err := c.exec(ctx, `INSERT INTO identities (issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (issuer, subject) DO NOTHING`, id.Issuer, id.Subject, userID, int64(now))
	if err != nil {
		return fmt.Errorf("insert identity: %w", err)
	}
	if n == 0 {
		return chat.Errorf(chat.Conflict, "this identity has a user already")
	}
	return nil
}

// SaveAppointed implements chat.IdentityStore.
func (s *Store) SaveAppointed(ctx context.Context, issuer, subject string, appointed bool) error {
	return s.update(ctx, "save identity", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE identities SET appointed = $3 WHERE issuer = $1 AND subject = $2", issuer, subject, flag(appointed))
		return nil, err
	})
}

// RevokeSubject implements chat.IdentityStore: in one transaction for each user, of whom
// there is one but for a provider that tells its session alone.
func (s *Store) RevokeSubject(ctx context.Context, issuer, subject, session string) (userIDs []string, revoked int, err error) {
	if subject == "" && session == "" {
		return nil, 0, nil
	}
	where, arg := "issuer = $1 AND subject = $2", subject
	if subject == "" {
		where, arg = "issuer = $1 AND provider_session = $2", session
	}
	err = s.view(ctx, s.pools.read, "find sessions of a subject", func(c *conn) error {
		userIDs, err = collect(ctx, c, scanString, "SELECT DISTINCT user_id FROM sessions WHERE issuer <> '' AND "+where, issuer, arg)
		return err
	})
	for _, userID := range userIDs {
		n := 0
		err := s.update(ctx, "revoke sessions of a subject", func(c *conn) ([]chat.Event, error) {
			st, now, err := s.lockUser(ctx, c, userID)
			if err != nil {
				return nil, err
			}
			ids, err := collect(ctx, c, scanString, "SELECT id FROM sessions WHERE issuer <> '' AND "+where+" AND user_id = $3 ORDER BY id", issuer, arg, userID)
			if err != nil {
				return nil, err
			}
			n = len(ids)
			return s.revoke(ctx, c, st, now, ids)
		})
		if err != nil {
			return userIDs, revoked, err
		}
		revoked += n
	}
	return userIDs, revoked, err
}
