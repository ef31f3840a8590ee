package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"fechatter/chat"
)

const sessionColumns = "s.id, s.user_id, s.device, s.created_at, s.last_used_at, s.expires_at, s.method, s.issuer, s.subject, s.provider_session"

func scanSession(rows *sql.Rows, v *chat.Session) error {
	return rows.Scan(&v.ID, &v.UserID, &v.Device, &v.CreatedAt, &v.LastUsedAt, &v.ExpiresAt, &v.Method, &v.Issuer, &v.Subject, &v.ProviderSession)
}

// SessionByToken implements chat.SessionStore.
func (s *Store) SessionByToken(ctx context.Context, tokenHash []byte) (v chat.Session, now chat.Time, err error) {
	err = s.view(ctx, s.pools.read, "read session", func(c *conn) error {
		err := c.one(ctx, "SELECT "+sessionColumns+", "+s.d.now+" FROM sessions s WHERE s.token_hash = $1",
			[]any{hex.EncodeToString(tokenHash)},
			&v.ID, &v.UserID, &v.Device, &v.CreatedAt, &v.LastUsedAt, &v.ExpiresAt, &v.Method, &v.Issuer, &v.Subject, &v.ProviderSession, &now)
		return orNotFound(err, noSession())
	})
	return v, now, err
}

// TouchSession implements chat.SessionStore. An expired session does not exist.
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
	return pageOf("sessions", sessions, err, p.Limit, func(v chat.Session) []any { return []any{int64(v.LastUsedAt), v.ID} })
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

// revoke deletes sessions and keys of the user whose stream is locked, with an event for each.
func (s *Store) revoke(ctx context.Context, c *conn, st *stream, now chat.Time, ids []string) ([]chat.Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for _, table := range []string{"sessions", "bot_keys"} {
		if _, err := c.exec(ctx, "DELETE FROM "+table+" WHERE id IN "+s.d.ids(), encodeIDs(ids)); err != nil {
			return nil, fmt.Errorf("delete %s: %w", table, err)
		}
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
