package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fechatter/chat"
)

const userColumns = "u.id, u.username, u.display_name, u.status_text, u.status_emoji, u.status_until, u.time_zone, u.created_at, u.bot_by <> ''"

func scanUser(rows *sql.Rows, u *chat.User) error {
	err := rows.Scan(userTargets(u)...)
	u.Status = liveStatus(u.Status)
	return err
}

// userTargets is where userColumns go, the status as it is stored.
func userTargets(u *chat.User) []any {
	return []any{&u.ID, &u.Username, &u.DisplayName, &u.StatusText, &u.StatusEmoji, &u.StatusUntil, &u.TimeZone, &u.CreatedAt, &u.Bot}
}

// liveStatus leaves out a status that has ended, by this machine's clock: nothing is ordered by it.
func liveStatus(s chat.Status) chat.Status { return s.At(chat.TimeOf(time.Now())) }

func (s *Store) insertUser(ctx context.Context, c *conn, u chat.User, passwordHash string, administrator bool, botBy string) error {
	d := derive(u.Username, u.DisplayName)
	_, err := c.exec(ctx, `INSERT INTO users (id, username, display_name, status_text, search, name_folded, username_look, name_look,
			password_hash, created_at, administrator, bot_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		u.ID, u.Username, u.DisplayName, u.StatusText, d.search, d.folded, d.usernameLook, d.nameLook,
		passwordHash, int64(u.CreatedAt), flag(administrator), botBy)
	if s.d.classify(err) == failUnique {
		return chat.Errorf(chat.Conflict, "this username is taken")
	}
	if err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	return nil
}

// User implements chat.UserStore.
func (s *Store) User(ctx context.Context, id string) (u chat.User, err error) {
	err = s.view(ctx, s.pools.read, "read user", func(c *conn) error {
		u, err = readUser(ctx, c, "u.id = $1", id)
		return err
	})
	return u, err
}

// oneUser reads the user of a query that selects userColumns, and then what more takes.
func oneUser(ctx context.Context, c *conn, u *chat.User, query string, args []any, more ...any) error {
	err := c.one(ctx, query, args, append(userTargets(u), more...)...)
	u.Status = liveStatus(u.Status)
	return orNotFound(err, noUser())
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
			WHERE `+present+` AND u.username > $1 AND u.search LIKE $2 ESCAPE '\' ORDER BY u.username LIMIT $3`,
			after, pattern(q), p.Limit+1)
		return err
	})
	return pageOf("users", users, err, p.Limit, func(u chat.User) []any { return []any{u.Username} })
}

// UsersByID implements chat.UserStore.
func (s *Store) UsersByID(ctx context.Context, ids []string) (users []chat.User, err error) {
	err = s.view(ctx, s.pools.read, "read users", func(c *conn) error {
		users, err = collect(ctx, c, scanUser, "SELECT "+userColumns+" FROM users u WHERE u.id IN "+s.d.ids()+" ORDER BY u.username", encodeIDs(ids))
		return err
	})
	return users, err
}

// Credentials implements chat.UserStore.
func (s *Store) Credentials(ctx context.Context, username string) (u chat.User, passwordHash string, err error) {
	err = s.view(ctx, s.pools.read, "read credentials", func(c *conn) error {
		return oneUser(ctx, c, &u, "SELECT "+userColumns+", u.password_hash FROM users u WHERE u.username = $1", []any{username}, &passwordHash)
	})
	return u, passwordHash, err
}

// SaveProfile implements chat.UserStore.
func (s *Store) SaveProfile(ctx context.Context, id string, p chat.Profile) (u chat.User, err error) {
	err = s.update(ctx, "save profile", func(c *conn) ([]chat.Event, error) {
		if p.DisplayName != nil {
			if err := lockNames(ctx, c); err != nil {
				return nil, err
			}
		}
		// Lock the row before it is read, so that two changes do not undo each other.
		n, err := c.exec(ctx, "UPDATE users SET id = id WHERE id = $1 AND deleted_at = 0", id)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, noUser()
		}
		if u, err = readUser(ctx, c, "u.id = $1", id); err != nil {
			return nil, err
		}
		u.Status = p.After(u.Status)
		if p.TimeZone != nil {
			u.TimeZone = *p.TimeZone
		}
		if p.DisplayName != nil && *p.DisplayName != u.DisplayName {
			u.DisplayName = *p.DisplayName
			if err := admitName(ctx, c, u); err != nil {
				return nil, err
			}
		}
		d := derive(u.Username, u.DisplayName)
		_, err = c.exec(ctx, `UPDATE users SET display_name = $2, status_text = $3, search = $4, name_folded = $5, name_look = $6,
			status_emoji = $7, status_until = $8, time_zone = $9 WHERE id = $1`,
			id, u.DisplayName, u.StatusText, d.search, d.folded, d.nameLook, u.StatusEmoji, int64(u.StatusUntil), u.TimeZone)
		return nil, err
	})
	return u, err
}

// admitName asks the domain about the display name that a user takes.
func admitName(ctx context.Context, c *conn, u chat.User) error {
	var administrator bool
	if err := c.one(ctx, "SELECT administrator = 1 FROM users WHERE id = $1", []any{u.ID}, &administrator); err != nil {
		return err
	}
	facts, err := nameFacts(ctx, c, u, administrator)
	if err != nil {
		return err
	}
	return u.AdmitName(facts)
}

// SavePassword implements chat.UserStore.
func (s *Store) SavePassword(ctx context.Context, id, current, passwordHash, keepSession string, notice *chat.Letter) error {
	return s.update(ctx, "save password", func(c *conn) ([]chat.Event, error) {
		st, now, err := s.lockUser(ctx, c, id)
		if err != nil {
			return nil, err
		}
		n, err := c.exec(ctx, "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash = $3", id, passwordHash, current)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, chat.Errorf(chat.Conflict, "the password has been changed meanwhile")
		}
		if err := endCodes(ctx, c, chat.ForReset, id); err != nil {
			return nil, err
		}
		if err := s.tell(ctx, c, now, id, notice); err != nil {
			return nil, err
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
