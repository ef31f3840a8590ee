package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"fechatter/chat"
)

const sessionColumns = "s.id, s.user_id, s.device, s.created_at, s.last_used_at, s.expires_at"

func scanSession(rows *sql.Rows, v *chat.Session) error {
	return rows.Scan(&v.ID, &v.UserID, &v.Device, &v.CreatedAt, &v.LastUsedAt, &v.ExpiresAt)
}

// CreateSession implements chat.SessionStore.
//
// The user's row is locked: a change of the password and a suspension, which
// revoke sessions, either see this one or are seen by it.
func (s *Store) CreateSession(ctx context.Context, v chat.Session, passwordHash string, tokenHash []byte, ttl time.Duration) (chat.Session, error) {
	err := s.update(ctx, "create session", func(c *conn) ([]chat.Event, error) {
		var suspended int64
		err := c.one(ctx, "SELECT suspended_at FROM users WHERE id = $1 AND password_hash = $2"+s.d.lock, []any{v.UserID, passwordHash}, &suspended)
		if err != nil {
			return nil, orNotFound(err, noUser())
		}
		if suspended > 0 {
			return nil, chat.Errorf(chat.Forbidden, "this account is suspended")
		}
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		v.CreatedAt, v.LastUsedAt, v.ExpiresAt = now, now, now.Add(ttl)
		_, err = c.exec(ctx, `INSERT INTO sessions (id, user_id, device, token_hash, created_at, last_used_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, v.ID, v.UserID, v.Device, hex.EncodeToString(tokenHash),
			int64(v.CreatedAt), int64(v.LastUsedAt), int64(v.ExpiresAt))
		return nil, err
	})
	if err != nil {
		return chat.Session{}, err
	}
	return v, nil
}

// SessionByToken implements chat.SessionStore.
func (s *Store) SessionByToken(ctx context.Context, tokenHash []byte) (v chat.Session, now chat.Time, err error) {
	err = s.view(ctx, s.pools.read, "read session", func(c *conn) error {
		err := c.one(ctx, "SELECT "+sessionColumns+", "+s.d.now+" FROM sessions s WHERE s.token_hash = $1",
			[]any{hex.EncodeToString(tokenHash)},
			&v.ID, &v.UserID, &v.Device, &v.CreatedAt, &v.LastUsedAt, &v.ExpiresAt, &now)
		return orNotFound(err, noSession())
	})
	return v, now, err
}

// TouchSession implements chat.SessionStore. A session that has expired is not
// there any more.
func (s *Store) TouchSession(ctx context.Context, id string, ttl time.Duration) (v chat.Session, err error) {
	err = s.update(ctx, "touch session", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		n, err := c.exec(ctx, "UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1 AND expires_at > $2",
			id, int64(now), int64(now.Add(ttl)))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, noSession()
		}
		found, err := collect(ctx, c, scanSession, "SELECT "+sessionColumns+" FROM sessions s WHERE s.id = $1", id)
		if err != nil {
			return nil, err
		}
		v = found[0]
		return nil, nil
	})
	return v, err
}

// Sessions implements chat.SessionStore.
func (s *Store) Sessions(ctx context.Context, userID string, p chat.Page) (sessions []chat.Session, next string, err error) {
	var usedAt int64
	var id string
	paged, err := decodeAfter("sessions", p.After, &usedAt, &id)
	if err != nil {
		return nil, "", err
	}
	query := "SELECT " + sessionColumns + " FROM sessions s WHERE s.user_id = $1 AND s.expires_at > " + s.d.now
	args := []any{userID, p.Limit + 1}
	if paged {
		query += " AND (s.last_used_at < $3 OR s.last_used_at = $3 AND s.id < $4)"
		args = append(args, usedAt, id)
	}
	err = s.view(ctx, s.pools.read, "list sessions", func(c *conn) error {
		sessions, err = collect(ctx, c, scanSession, query+" ORDER BY s.last_used_at DESC, s.id DESC LIMIT $2", args...)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	sessions, more := cut(sessions, p.Limit)
	if more {
		last := sessions[len(sessions)-1]
		next = encodeAfter("sessions", int64(last.LastUsedAt), last.ID)
	}
	return sessions, next, nil
}

// RevokeSession implements chat.SessionStore.
func (s *Store) RevokeSession(ctx context.Context, userID, id string) error {
	return s.update(ctx, "revoke session", func(c *conn) ([]chat.Event, error) {
		st, now, err := s.lockUser(ctx, c, userID)
		if err != nil {
			return nil, err
		}
		found, err := collect(ctx, c, scanString, "SELECT id FROM sessions WHERE user_id = $1 AND id = $2", userID, id)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, noSession()
		}
		return s.revoke(ctx, c, st, now, found)
	})
}

// revoke deletes sessions of the user whose stream is locked, with an event each.
func (s *Store) revoke(ctx context.Context, c *conn, st *stream, now chat.Time, ids []string) ([]chat.Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if _, err := c.exec(ctx, "DELETE FROM sessions WHERE id IN "+s.d.ids(), encodeIDs(ids)); err != nil {
		return nil, fmt.Errorf("delete sessions: %w", err)
	}
	events := make([]chat.Event, len(ids))
	for i, id := range ids {
		events[i] = st.personal(now, chat.Event{Op: chat.OpSessionRevoked, ActorID: st.id, D: chat.SessionRevoked{SessionID: id}})
	}
	if err := s.insertEvents(ctx, c, s.newID(), events); err != nil {
		return nil, err
	}
	return events, s.saveStreams(ctx, c, map[string]*stream{st.id: st})
}
