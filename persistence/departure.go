package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// present is a condition on u: users who have not deleted their account.
const present = "u.deleted_at = 0"

// DeleteUser implements chat.AdminTx. That the user is suspended, too, keeps out whoever has
// just proved who they are and is about to open a session.
func (t *adminTx) DeleteUser(ctx context.Context, userID, passwordHash, name string) error {
	u, err := readUser(ctx, t.c, "u.id = $1", userID)
	if err != nil {
		return err
	}
	d := derive(u.Username, name)
	n, err := t.c.exec(ctx, `UPDATE users SET deleted_at = $2, suspended_at = $2, administrator = 0, password_hash = '',
			display_name = $4, search = $5, name_folded = $6, name_look = $7,
			status_text = '', status_emoji = '', status_until = 0, time_zone = '',
			email = '', email_key = '', email_verified = 0, email_language = ''
		WHERE id = $1 AND deleted_at = 0 AND password_hash = $3`,
		userID, int64(t.now), passwordHash, name, d.search, d.folded, d.nameLook)
	if err := oneRow(n, err, chat.Errorf(chat.Conflict, "the password has been changed meanwhile")); err != nil {
		return err
	}
	if err := deleteFactors(ctx, t.c, userID, "totp", "recovery_codes", "challenges", "passkeys", "identities", "externals", "blocks"); err != nil {
		return err
	}
	for _, statement := range []string{"DELETE FROM codes WHERE subject = $1", "DELETE FROM invitations WHERE created_by = $1"} {
		if _, err := t.c.exec(ctx, statement, userID); err != nil {
			return fmt.Errorf("delete what a user may do: %w", err)
		}
	}
	return t.s.putJobs(ctx, t.c, t.now, chat.DepartureJob(userID))
}
