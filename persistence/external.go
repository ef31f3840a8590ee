package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// ExternalUser implements chat.ExternalStore.
func (s *Store) ExternalUser(ctx context.Context, e chat.External) (a chat.Account, after chat.Time, err error) {
	err = s.view(ctx, s.pools.read, "read external user", func(c *conn) error {
		var r accountScan
		err := c.one(ctx, "SELECT "+accountColumns+`, u.tokens_after FROM externals e JOIN users u ON u.id = e.user_id
			WHERE e.issuer = $1 AND e.subject = $2`, []any{e.Issuer, e.Subject}, append(r.targets(), &after)...)
		a = r.account()
		return orNotFound(err, noUser())
	})
	return a, after, err
}

// insertExternal says who a new user is to an application.
func (s *Store) insertExternal(ctx context.Context, c *conn, userID string, e chat.External, now chat.Time) error {
	_, err := c.exec(ctx, "INSERT INTO externals (issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4)", e.Issuer, e.Subject, userID, int64(now))
	if s.d.classify(err) == failUnique {
		return chat.Errorf(chat.Conflict, "this external id is somebody's")
	}
	if err != nil {
		return fmt.Errorf("insert external user: %w", err)
	}
	return nil
}

// endTokens ends what applications have issued for a user, and returns the id of the one
// session that all of these tokens are; "" if there can be none.
func (t *adminTx) endTokens(ctx context.Context, userID string) (string, error) {
	n, err := t.c.exec(ctx, "UPDATE users SET tokens_after = $2 WHERE id = $1 AND EXISTS (SELECT 1 FROM externals e WHERE e.user_id = $1)", userID, int64(t.now))
	if err != nil {
		return "", fmt.Errorf("end tokens: %w", err)
	}
	if n == 0 {
		return "", nil
	}
	return userID, nil
}

// SaveNames implements chat.AdminTx.
func (t *adminTx) SaveNames(ctx context.Context, u chat.User) error {
	if err := lockNames(ctx, t.c); err != nil {
		return err
	}
	before, err := readAccount(ctx, t.c, "u.id = $1", u.ID)
	if err != nil {
		return err
	}
	facts, err := nameFacts(ctx, t.c, u, before.Administrator)
	if err != nil {
		return err
	}
	admit := u.AdmitName
	if before.Username != u.Username {
		admit = u.AdmitSignUp
	}
	if err := admit(facts); err != nil {
		return err
	}
	d := derive(u.Username, u.DisplayName)
	n, err := t.c.exec(ctx, `UPDATE users SET username = $2, display_name = $3, search = $4, name_folded = $5, username_look = $6, name_look = $7
		WHERE id = $1`, u.ID, u.Username, u.DisplayName, d.search, d.folded, d.usernameLook, d.nameLook)
	return oneRow(n, err, noUser())
}

// SaveVerifiedEmail implements chat.AdminTx.
func (t *adminTx) SaveVerifiedEmail(ctx context.Context, userID, address string) (changed bool, err error) {
	n, err := t.c.exec(ctx, `UPDATE users SET email = $2, email_key = $3, email_verified = 1 WHERE id = $1 AND (email <> $2 OR email_verified = 0)`,
		userID, address, chat.EmailKey(address))
	if t.s.d.classify(err) == failUnique {
		return false, addressTaken()
	}
	if err != nil {
		return false, fmt.Errorf("save address: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	return true, endCodes(ctx, t.c, chat.ForReset, userID)
}

func addressTaken() error { return chat.Errorf(chat.Conflict, "another account uses this address") }
