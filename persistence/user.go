package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"fechatter/chat"
)

const userColumns = "u.id, u.username, u.display_name, u.status_text, u.created_at"

func scanUser(rows *sql.Rows, u *chat.User) error {
	return rows.Scan(&u.ID, &u.Username, &u.DisplayName, &u.StatusText, &u.CreatedAt)
}

// searchText is what a user is found by.
func searchText(username, displayName string) string {
	return strings.ToLower(username) + "\n" + strings.ToLower(displayName)
}

// CreateUser implements chat.UserStore.
func (s *Store) CreateUser(ctx context.Context, u chat.User, passwordHash string, a chat.Appointment) (chat.User, error) {
	err := s.update(ctx, "create user", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		u.CreatedAt = now
		appointed, why, err := appoint(ctx, c, a)
		if err != nil {
			return nil, err
		}
		_, err = c.exec(ctx, `INSERT INTO users (id, username, display_name, status_text, search, password_hash, created_at, administrator)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, u.ID, u.Username, u.DisplayName, u.StatusText,
			searchText(u.Username, u.DisplayName), passwordHash, int64(now), flag(appointed))
		if s.d.classify(err) == failUnique {
			return nil, chat.Errorf(chat.Conflict, "this username is taken")
		}
		if err != nil {
			return nil, fmt.Errorf("insert user: %w", err)
		}
		if appointed {
			err = record(ctx, c, chat.AuditEntry{ID: s.newID(), At: now, Actor: u.ID, Action: chat.AuditAppointed, Subject: u.ID, Detail: why})
		}
		if err != nil {
			return nil, err
		}
		_, err = c.exec(ctx, "INSERT INTO streams (id, last_ts) VALUES ($1, $2)", u.ID, int64(now))
		return nil, err
	})
	if err != nil {
		return chat.User{}, err
	}
	return u, nil
}

// appoint decides whether a sign-up makes an administrator. Of two who are first,
// one waits for the other's transaction here. Who is first counts whatever a is: else
// a stranger would be appointed long after, when the settings name nobody any more.
func appoint(ctx context.Context, c *conn, a chat.Appointment) (appointed bool, why string, err error) {
	n, err := c.exec(ctx, "UPDATE meta SET value = 'begun' WHERE name = $1 AND value = ''", metaAdministration)
	switch {
	case err != nil:
		return false, "", fmt.Errorf("look for the first user: %w", err)
	case a == chat.AppointNamed:
		return true, "named by the settings", nil
	}
	return a == chat.AppointFirst && n == 1, "the first user", nil
}

// User implements chat.UserStore.
func (s *Store) User(ctx context.Context, id string) (u chat.User, err error) {
	err = s.view(ctx, s.pools.read, "read user", func(c *conn) error {
		u, err = readUser(ctx, c, "u.id = $1", id)
		return err
	})
	return u, err
}

func readUser(ctx context.Context, c *conn, where string, args ...any) (chat.User, error) {
	found, err := collect(ctx, c, scanUser, "SELECT "+userColumns+" FROM users u WHERE "+where, args...)
	if err != nil {
		return chat.User{}, err
	}
	if len(found) == 0 {
		return chat.User{}, noUser()
	}
	return found[0], nil
}

// Users implements chat.UserStore.
func (s *Store) Users(ctx context.Context, q string, p chat.Page) (users []chat.User, next string, err error) {
	var after string
	if _, err := decodeAfter("users", p.After, &after); err != nil {
		return nil, "", err
	}
	err = s.view(ctx, s.pools.read, "list users", func(c *conn) error {
		users, err = collect(ctx, c, scanUser, "SELECT "+userColumns+` FROM users u
			WHERE u.username > $1 AND u.search LIKE $2 ESCAPE '\' ORDER BY u.username LIMIT $3`,
			after, pattern(q), p.Limit+1)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	users, more := cut(users, p.Limit)
	if more {
		next = encodeAfter("users", users[len(users)-1].Username)
	}
	return users, next, nil
}

// Credentials implements chat.UserStore.
func (s *Store) Credentials(ctx context.Context, username string) (u chat.User, passwordHash string, err error) {
	err = s.view(ctx, s.pools.read, "read credentials", func(c *conn) error {
		err := c.one(ctx, "SELECT "+userColumns+", u.password_hash FROM users u WHERE u.username = $1", []any{username},
			&u.ID, &u.Username, &u.DisplayName, &u.StatusText, &u.CreatedAt, &passwordHash)
		return orNotFound(err, noUser())
	})
	return u, passwordHash, err
}

// SaveProfile implements chat.UserStore.
func (s *Store) SaveProfile(ctx context.Context, id string, p chat.Profile) (u chat.User, err error) {
	err = s.update(ctx, "save profile", func(c *conn) ([]chat.Event, error) {
		// The row's lock comes first, so that two changes do not undo each other.
		n, err := c.exec(ctx, "UPDATE users SET id = id WHERE id = $1", id)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, noUser()
		}
		if u, err = readUser(ctx, c, "u.id = $1", id); err != nil {
			return nil, err
		}
		if p.DisplayName != nil {
			u.DisplayName = *p.DisplayName
		}
		if p.StatusText != nil {
			u.StatusText = *p.StatusText
		}
		_, err = c.exec(ctx, "UPDATE users SET display_name = $2, status_text = $3, search = $4 WHERE id = $1",
			id, u.DisplayName, u.StatusText, searchText(u.Username, u.DisplayName))
		return nil, err
	})
	return u, err
}

// SavePassword implements chat.UserStore.
func (s *Store) SavePassword(ctx context.Context, id, passwordHash, keepSession string) error {
	return s.update(ctx, "save password", func(c *conn) ([]chat.Event, error) {
		st, now, err := s.lockUser(ctx, c, id)
		if err != nil {
			return nil, err
		}
		n, err := c.exec(ctx, "UPDATE users SET password_hash = $2 WHERE id = $1", id, passwordHash)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, noUser()
		}
		revoked, err := collect(ctx, c, scanString, "SELECT id FROM sessions WHERE user_id = $1 AND id <> $2 ORDER BY id", id, keepSession)
		if err != nil {
			return nil, err
		}
		return s.revoke(ctx, c, st, now, revoked)
	})
}

// lockUser locks a user's personal stream.
func (s *Store) lockUser(ctx context.Context, c *conn, id string) (*stream, chat.Time, error) {
	streams, err := s.lockStreams(ctx, c, []string{id}, s.d.lock)
	if err != nil {
		return nil, 0, err
	}
	if streams[id] == nil {
		return nil, 0, noUser()
	}
	now, err := s.clock(ctx, c)
	return streams[id], now, err
}
