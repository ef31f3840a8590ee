package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"fechatter/chat"
)

const invitationColumns = "i.id, i.created_by, i.created_at, i.expires_at, i.uses, i.max_uses, i.chat_ids, i.email"

// openInvitation is the condition that an invitation still lets somebody in at $2. What a
// suspended user gave away opens nothing.
const openInvitation = "i.expires_at > $2 AND i.uses < i.max_uses AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = i.created_by AND u.suspended_at > 0)"

func scanInvitation(rows *sql.Rows, i *chat.Invitation) error {
	var chats string
	if err := rows.Scan(&i.ID, &i.CreatedBy, &i.CreatedAt, &i.ExpiresAt, &i.Uses, &i.MaxUses, &chats, &i.Email); err != nil {
		return err
	}
	return json.Unmarshal([]byte(chats), &i.ChatIDs)
}

// AddInvitation implements chat.InvitationStore.
func (s *Store) AddInvitation(ctx context.Context, i chat.Invitation, lasts time.Duration, hash []byte, l *chat.Letter, most int) (chat.Invitation, error) {
	err := s.update(ctx, "add invitation", func(c *conn) ([]chat.Event, error) {
		if err := s.lockUsers(ctx, c, inviters, []string{i.CreatedBy}); err != nil {
			return nil, err
		}
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		var open int
		err = c.one(ctx, "SELECT count(*) FROM invitations i WHERE i.created_by = $1 AND i.expires_at > $2 AND i.uses < i.max_uses",
			[]any{i.CreatedBy, int64(now)}, &open)
		if err != nil {
			return nil, fmt.Errorf("count invitations: %w", err)
		}
		if open >= most {
			return nil, chat.Errorf(chat.Conflict, "you have %d open invitations, the most there can be; withdraw some", open)
		}
		i.CreatedAt, i.ExpiresAt = now, now.Add(lasts)
		_, err = c.exec(ctx, "INSERT INTO invitations (id, created_by, created_at, expires_at, max_uses, chat_ids, email) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			i.ID, i.CreatedBy, int64(i.CreatedAt), int64(i.ExpiresAt), i.MaxUses, encodeIDs(i.ChatIDs), i.Email)
		if err != nil {
			return nil, fmt.Errorf("insert invitation: %w", err)
		}
		if err := s.insertCode(ctx, c, now, chat.LinkCode{Purpose: chat.ForInvitation, Subject: i.ID, Hash: hash, ExpiresAt: i.ExpiresAt}); err != nil || l == nil {
			return nil, err
		}
		return nil, s.putLetter(ctx, c, now, *l)
	})
	return i, err
}

// Invitations implements chat.InvitationStore.
func (s *Store) Invitations(ctx context.Context, userID string, p chat.Page) (list []chat.Invitation, next string, err error) {
	var at int64
	var id string
	paged, err := decodeAfter("invitations", p.After, &at, &id)
	if err != nil {
		return nil, "", err
	}
	query, args := "SELECT "+invitationColumns+" FROM invitations i WHERE ($2 = '' OR i.created_by = $2)", []any{p.Limit + 1, userID}
	if paged {
		query += " AND (i.created_at < $3 OR i.created_at = $3 AND i.id < $4)"
		args = append(args, at, id)
	}
	err = s.view(ctx, s.pools.read, "list invitations", func(c *conn) error {
		list, err = collect(ctx, c, scanInvitation, query+" ORDER BY i.created_at DESC, i.id DESC LIMIT $1", args...)
		return err
	})
	return pageOf("invitations", list, err, p.Limit, func(i chat.Invitation) []any { return []any{int64(i.CreatedAt), i.ID} })
}

// DropInvitation implements chat.InvitationStore.
func (s *Store) DropInvitation(ctx context.Context, userID, id string) error {
	return s.update(ctx, "drop invitation", func(c *conn) ([]chat.Event, error) {
		n, err := c.exec(ctx, "DELETE FROM invitations WHERE id = $1 AND ($2 = '' OR created_by = $2)", id, userID)
		if err := oneRow(n, err, noInvitation()); err != nil {
			return nil, err
		}
		return nil, endCodes(ctx, c, chat.ForInvitation, id)
	})
}

// FindInvitation implements chat.InvitationStore.
func (s *Store) FindInvitation(ctx context.Context, hash []byte) (i chat.Invitation, by string, err error) {
	err = s.view(ctx, s.pools.read, "find invitation", func(c *conn) error {
		now, err := s.clock(ctx, c)
		if err != nil {
			return err
		}
		if i, _, err = s.invitation(ctx, c, hash, now, ""); err != nil {
			return err
		}
		return c.one(ctx, "SELECT COALESCE((SELECT u.display_name FROM users u WHERE u.id = $1), '')", []any{i.CreatedBy}, &by)
	})
	return i, by, err
}

// invitation reads the invitation of a code, if it still lets somebody in, and the address to
// which the code was sent. With lock, nobody else uses it until the transaction ends.
func (s *Store) invitation(ctx context.Context, c *conn, hash []byte, now chat.Time, lock string) (i chat.Invitation, sentTo string, err error) {
	code, err := s.readCode(ctx, c, chat.ForInvitation, hash, now, "")
	if chat.CodeOf(err) == chat.NotFound {
		err = noInvitation()
	}
	if err != nil {
		return chat.Invitation{}, "", err
	}
	found, err := collect(ctx, c, scanInvitation, "SELECT "+invitationColumns+" FROM invitations i WHERE i.id = $1 AND "+openInvitation+lock, code.Subject, int64(now))
	if err != nil {
		return chat.Invitation{}, "", fmt.Errorf("read invitation: %w", err)
	}
	if len(found) == 0 {
		return chat.Invitation{}, "", noInvitation()
	}
	return found[0], code.Address, nil
}

// mintInvitation returns what the letter of an invitation says.
func (s *Store) mintInvitation(ctx context.Context, c *conn, l chat.Letter, now chat.Time, m *chat.Mail) error {
	found, err := collect(ctx, c, scanInvitation, "SELECT "+invitationColumns+" FROM invitations i WHERE i.id = $1 AND "+openInvitation, l.Invitation, int64(now))
	if err != nil {
		return fmt.Errorf("read invitation: %w", err)
	}
	if len(found) == 0 {
		return noInvitation()
	}
	m.ExpiresAt = found[0].ExpiresAt
	return c.one(ctx, "SELECT COALESCE((SELECT u.display_name FROM users u WHERE u.id = $1), '')", []any{found[0].CreatedBy}, &m.By)
}

func noInvitation() *chat.Error {
	return chat.Errorf(chat.NotFound, "this invitation is unknown, used up or expired")
}

// trimCodes deletes codes that have expired, invitations a month after that, and what was sent
// longer than a day ago.
func (s *Store) trimCodes(ctx context.Context, now chat.Time) error {
	return s.update(ctx, "trim codes", func(c *conn) ([]chat.Event, error) {
		for _, old := range []struct {
			statement string
			before    chat.Time
		}{
			{"DELETE FROM codes WHERE expires_at < $1", now},
			{"DELETE FROM letters WHERE at < $1", now.Add(-24 * time.Hour)},
			{"DELETE FROM invitations WHERE expires_at < $1", now.Add(-30 * 24 * time.Hour)},
		} {
			if _, err := c.exec(ctx, old.statement, int64(old.before)); err != nil {
				return nil, fmt.Errorf("trim codes: %w", err)
			}
		}
		return nil, nil
	})
}
