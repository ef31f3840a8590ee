package persistence

import (
	"context"
	"encoding/hex"
	"fmt"

	"fechatter/chat"
)

func (s *Store) insertCode(ctx context.Context, c *conn, now chat.Time, code chat.LinkCode) error {
	_, err := c.exec(ctx, "INSERT INTO codes (hash, purpose, subject, address, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
		hex.EncodeToString(code.Hash), string(code.Purpose), code.Subject, code.Address, int64(now), int64(code.ExpiresAt))
	if err != nil {
		return fmt.Errorf("insert code: %w", err)
	}
	return nil
}

// readCode finds a code that is still good, and with lock keeps it from being used by
// somebody else until the transaction ends.
func (s *Store) readCode(ctx context.Context, c *conn, purpose chat.Purpose, hash []byte, now chat.Time, lock string) (code chat.LinkCode, err error) {
	code = chat.LinkCode{Purpose: purpose, Hash: hash}
	err = c.one(ctx, "SELECT subject, address, expires_at FROM codes WHERE hash = $1 AND purpose = $2 AND expires_at > $3"+lock,
		[]any{hex.EncodeToString(hash), string(purpose), int64(now)}, &code.Subject, &code.Address, &code.ExpiresAt)
	return code, orNotFound(err, noCode())
}

// endCodes makes all codes of a purpose for a subject useless.
func endCodes(ctx context.Context, c *conn, purpose chat.Purpose, subject string) error {
	if _, err := c.exec(ctx, "DELETE FROM codes WHERE purpose = $1 AND subject = $2", string(purpose), subject); err != nil {
		return fmt.Errorf("end codes: %w", err)
	}
	return nil
}

func noCode() *chat.Error { return chat.Errorf(chat.NotFound, "this link is unknown, used or expired") }

// InsertCode implements chat.AdminTx.
func (t *adminTx) InsertCode(ctx context.Context, code chat.LinkCode) error {
	return t.s.insertCode(ctx, t.c, t.now, code)
}

// MintCode implements chat.AccountStore.
func (s *Store) MintCode(ctx context.Context, l chat.Letter, hash []byte) (m chat.Mail, err error) {
	err = s.update(ctx, "mint code", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		code := chat.LinkCode{Purpose: l.Purpose, Address: l.Address, Hash: hash}
		switch l.Purpose {
		case chat.ForReset:
			code.Subject, code.ExpiresAt = l.UserID, now.Add(chat.ResetTTL)
			m.Name, err = letterName(ctx, c, "u.id = $1 AND u.suspended_at = 0 AND u.email_verified = 1 AND u.email = $2", l)
		case chat.ForEmail:
			code.Subject, code.ExpiresAt = l.UserID, now.Add(chat.EmailTTL)
			m.Name, err = letterName(ctx, c, "u.id = $1 AND u.suspended_at = 0 AND $2 <> ''", l)
		case chat.ForInvitation:
			err = s.mintInvitation(ctx, c, l, now, &m)
			code.Subject, code.ExpiresAt = l.Invitation, m.ExpiresAt
		case chat.PasswordChanged, chat.EmailChanged:
			m.Name, err = letterName(ctx, c, "u.id = $1 AND $2 <> ''", l)
			return nil, err
		default:
			err = noCode()
		}
		if err != nil {
			return nil, err
		}
		m.ExpiresAt = code.ExpiresAt
		return nil, s.insertCode(ctx, c, now, code)
	})
	return m, err
}

// letterName returns the name of a letter's user, if the condition holds.
func letterName(ctx context.Context, c *conn, where string, l chat.Letter) (name string, err error) {
	err = c.one(ctx, "SELECT u.display_name FROM users u WHERE "+where, []any{l.UserID, l.Address}, &name)
	return name, orNotFound(err, noUser())
}

// putLetter has a letter sent, if it is not one too many.
func (s *Store) putLetter(ctx context.Context, c *conn, now chat.Time, l chat.Letter) error {
	var f chat.LetterFacts
	key := chat.EmailKey(l.Address)
	if err := s.lockUsers(ctx, c, mailboxes, []string{key}); err != nil {
		return err
	}
	err := c.one(ctx, `SELECT (SELECT count(*) FROM letters WHERE purpose = $1 AND cause = $2 AND at > $4),
			(SELECT count(*) FROM letters WHERE purpose = $1 AND address_key = $3 AND at > $4)`,
		[]any{string(l.Purpose), l.Cause, key, int64(now.Add(-chat.LetterWindow))}, &f.ByCause, &f.ToAddress)
	if err != nil {
		return fmt.Errorf("count letters: %w", err)
	}
	if err := l.Admit(f); err != nil {
		return err
	}
	_, err = c.exec(ctx, "INSERT INTO letters (id, purpose, cause, address_key, at) VALUES ($1, $2, $3, $4, $5)",
		l.ID, string(l.Purpose), l.Cause, key, int64(now))
	if err != nil {
		return fmt.Errorf("note letter: %w", err)
	}
	job, err := l.Job()
	if err != nil {
		return err
	}
	return s.putJobs(ctx, c, now, job)
}
