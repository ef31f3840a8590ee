package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
)

const accountColumns = userColumns + ", u.bot_by, u.administrator, u.suspended_at"

// accountScan is a row of accountColumns.
type accountScan struct {
	chat.Account
	suspended chat.Time
}

func (r *accountScan) targets() []any {
	return append(userTargets(&r.User), &r.MadeBy, &r.Administrator, &r.suspended)
}

func (r *accountScan) account() chat.Account {
	r.Status = liveStatus(r.Status)
	if r.suspended > 0 {
		r.SuspendedAt = &r.suspended
	}
	return r.Account
}

func scanAccount(rows *sql.Rows, a *chat.Account) error {
	var r accountScan
	err := rows.Scan(r.targets()...)
	*a = r.account()
	return err
}

func readAccount(ctx context.Context, c *conn, where, value string) (chat.Account, error) {
	found, err := collect(ctx, c, scanAccount, "SELECT "+accountColumns+" FROM users u WHERE "+present+" AND "+where, value)
	if err != nil {
		return chat.Account{}, fmt.Errorf("read account: %w", err)
	}
	if len(found) == 0 {
		return chat.Account{}, noUser()
	}
	return found[0], nil
}

// Account implements chat.AdminStore.
func (s *Store) Account(ctx context.Context, userID string) (a chat.Account, err error) {
	err = s.view(ctx, s.pools.read, "read account", func(c *conn) error {
		a, err = readAccount(ctx, c, "u.id = $1", userID)
		return err
	})
	return a, err
}

// AccountNamed implements chat.AdminStore.
func (s *Store) AccountNamed(ctx context.Context, username string) (a chat.Account, err error) {
	err = s.view(ctx, s.pools.read, "read account", func(c *conn) error {
		a, err = readAccount(ctx, c, "u.username = $1", username)
		return err
	})
	return a, err
}

// Accounts implements chat.AdminStore.
func (s *Store) Accounts(ctx context.Context, q string, p chat.Page) (accounts []chat.Account, next string, err error) {
	var after string
	if _, err := decodeAfter("accounts", p.After, &after); err != nil {
		return nil, "", err
	}
	err = s.view(ctx, s.pools.read, "list accounts", func(c *conn) error {
		accounts, err = collect(ctx, c, scanAccount, "SELECT "+accountColumns+` FROM users u
			WHERE `+present+` AND u.username > $1 AND u.search LIKE $2 ESCAPE '\' ORDER BY u.username LIMIT $3`,
			after, pattern(q), p.Limit+1)
		return err
	})
	return pageOf("accounts", accounts, err, p.Limit, func(a chat.Account) []any { return []any{a.Username} })
}

// NoteAbsent implements chat.AdminStore.
func (s *Store) NoteAbsent(ctx context.Context, username string) error {
	return s.update(ctx, "note an absent administrator", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, '') ON CONFLICT (name) DO NOTHING", metaAbsent+username)
		return nil, err
	})
}

// WasAbsent implements chat.AdminStore.
func (s *Store) WasAbsent(ctx context.Context, username string) (absent bool, err error) {
	err = s.view(ctx, s.pools.read, "look for an absent administrator", func(c *conn) error {
		return c.one(ctx, "SELECT count(*) > 0 FROM meta WHERE name = $1", []any{metaAbsent + username}, &absent)
	})
	return absent, err
}

// Administer implements chat.AdminStore. It locks the row of meta before the
// stream, as a sign-up does.
func (s *Store) Administer(ctx context.Context, subject string, fn func(context.Context, chat.AdminTx) error) error {
	return s.update(ctx, "administer", func(c *conn) ([]chat.Event, error) {
		t := &adminTx{s: s, c: c}
		var begun string
		err := c.one(ctx, "SELECT value FROM meta WHERE name = $1"+s.d.lock, []any{metaAdministration}, &begun)
		if err != nil {
			return nil, fmt.Errorf("lock administration: %w", err)
		}
		if t.streams, err = s.lockStreams(ctx, c, []string{subject}, s.d.lock); err != nil {
			return nil, err
		}
		if t.now, err = s.clock(ctx, c); err != nil {
			return nil, err
		}
		return t.events, fn(ctx, t)
	})
}

// adminTx is a chat.AdminTx.
type adminTx struct {
	s       *Store
	c       *conn
	now     chat.Time
	streams map[string]*stream
	events  []chat.Event
}

// Now implements chat.AdminTx.
func (t *adminTx) Now() chat.Time { return t.now }

// Account implements chat.AdminTx.
func (t *adminTx) Account(ctx context.Context, userID string) (chat.Account, error) {
	return readAccount(ctx, t.c, "u.id = $1", userID)
}

// SaveAccount implements chat.AdminTx.
func (t *adminTx) SaveAccount(ctx context.Context, a chat.Account) error {
	var suspended int64
	if a.SuspendedAt != nil {
		suspended = int64(*a.SuspendedAt)
	}
	n, err := t.c.exec(ctx, "UPDATE users SET administrator = $2, suspended_at = $3 WHERE id = $1", a.ID, flag(a.Administrator), suspended)
	return oneRow(n, err, noUser())
}

// Administrators implements chat.AdminTx.
func (t *adminTx) Administrators(ctx context.Context) (n int, err error) {
	err = t.c.one(ctx, "SELECT count(*) FROM users WHERE administrator = 1 AND suspended_at = 0", nil, &n)
	if err != nil {
		return 0, fmt.Errorf("count administrators: %w", err)
	}
	return n, nil
}

// RevokeSessions implements chat.AdminTx.
func (t *adminTx) RevokeSessions(ctx context.Context, userID string) (int, error) {
	ids, err := collect(ctx, t.c, scanString, "SELECT id FROM sessions WHERE user_id = $1 UNION ALL SELECT id FROM bot_keys WHERE bot_id = $1 ORDER BY id", userID)
	if err != nil {
		return 0, fmt.Errorf("list sessions: %w", err)
	}
	tokens, err := t.endTokens(ctx, userID)
	if err != nil {
		return 0, err
	}
	if tokens != "" {
		ids = append(ids, tokens)
	}
	return len(ids), t.end(ctx, userID, ids)
}
