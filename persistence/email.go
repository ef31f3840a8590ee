package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"fechatter/chat"
)

// SaveEmail implements chat.AccountStore. It locks the user's row: of two changes at once one
// waits for the other.
func (s *Store) SaveEmail(ctx context.Context, ch chat.EmailChange) error {
	return s.update(ctx, "save address", func(c *conn) ([]chat.Event, error) {
		var verified bool
		var current string
		err := c.one(ctx, "SELECT email_verified = 1, email FROM users WHERE id = $1 AND password_hash = $2"+s.d.lock, []any{ch.UserID, ch.Password}, &verified, &current)
		if err != nil {
			return nil, orNotFound(err, noUser())
		}
		if verified && current == ch.Address {
			return nil, nil
		}
		if verified && ch.Letter == nil {
			return nil, chat.Errorf(chat.Conflict, "this server sends no mail: a verified address cannot be replaced by one that is not")
		}
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		return nil, s.takeEmail(ctx, c, now, ch, verified)
	})
}

// takeEmail notes an address that is not verified yet, and has its letter sent.
func (s *Store) takeEmail(ctx context.Context, c *conn, now chat.Time, ch chat.EmailChange, keep bool) error {
	if !keep {
		_, err := c.exec(ctx, "UPDATE users SET email = $2, email_key = $3, email_verified = 0, email_language = $4 WHERE id = $1",
			ch.UserID, ch.Address, chat.EmailKey(ch.Address), ch.Language)
		if err != nil {
			return fmt.Errorf("save address: %w", err)
		}
	}
	if ch.Letter == nil {
		return nil
	}
	return s.putLetter(ctx, c, now, *ch.Letter)
}

// ConfirmEmail implements chat.AccountStore. Codes for a password that went to the address of
// before end with it.
func (s *Store) ConfirmEmail(ctx context.Context, userID string, hash []byte, language string, notice *chat.Letter) error {
	return s.update(ctx, "confirm address", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		code, err := s.readCode(ctx, c, chat.ForEmail, hash, now, s.d.lock)
		if err != nil {
			return nil, err
		}
		if code.Subject != userID {
			return nil, noCode()
		}
		before, err := s.verifiedAddress(ctx, c, userID)
		if err != nil {
			return nil, err
		}
		_, err = c.exec(ctx, "UPDATE users SET email = $2, email_key = $3, email_verified = 1, email_language = $4 WHERE id = $1",
			userID, code.Address, chat.EmailKey(code.Address), language)
		if s.d.classify(err) == failUnique {
			return nil, addressTaken()
		}
		if err != nil {
			return nil, fmt.Errorf("confirm address: %w", err)
		}
		if err := errors.Join(endCodes(ctx, c, chat.ForEmail, userID), endCodes(ctx, c, chat.ForReset, userID)); err != nil {
			return nil, err
		}
		if chat.EmailKey(before.Address) == chat.EmailKey(code.Address) {
			return nil, nil
		}
		return nil, s.tellAddress(ctx, c, now, userID, before, notice)
	})
}

// mailbox is where letters to a user go.
type mailbox struct {
	Address, Language string // Address is "" where there is none
}

// verifiedAddress locks the user's row, as every change of an address does.
func (s *Store) verifiedAddress(ctx context.Context, c *conn, userID string) (m mailbox, err error) {
	err = c.one(ctx, "SELECT email, email_language FROM users WHERE id = $1 AND email_verified = 1"+s.d.lock, []any{userID}, &m.Address, &m.Language)
	if errors.Is(err, sql.ErrNoRows) {
		return mailbox{}, nil
	}
	if err != nil {
		return mailbox{}, fmt.Errorf("read address: %w", err)
	}
	return m, nil
}

// tell has a notice sent to the user, if they have a verified address.
func (s *Store) tell(ctx context.Context, c *conn, now chat.Time, userID string, notice *chat.Letter) error {
	if notice == nil {
		return nil
	}
	to, err := s.verifiedAddress(ctx, c, userID)
	if err != nil {
		return err
	}
	return s.tellAddress(ctx, c, now, userID, to, notice)
}

// tellAddress has a notice sent to an address. One too many is not sent, in silence: those
// before have told enough.
func (s *Store) tellAddress(ctx context.Context, c *conn, now chat.Time, userID string, to mailbox, notice *chat.Letter) error {
	if notice == nil || to.Address == "" {
		return nil
	}
	l := *notice
	l.Cause, l.UserID, l.Address, l.Language = userID, userID, to.Address, to.Language
	err := s.putLetter(ctx, c, now, l)
	if chat.CodeOf(err) == chat.RateLimited {
		return nil
	}
	return err
}

// Email implements chat.AccountStore.
func (s *Store) Email(ctx context.Context, userID string) (address string, verified bool, err error) {
	err = s.view(ctx, s.pools.read, "read address", func(c *conn) error {
		err := c.one(ctx, "SELECT email, email_verified = 1 FROM users WHERE id = $1", []any{userID}, &address, &verified)
		return orNotFound(err, noUser())
	})
	return address, verified, err
}
