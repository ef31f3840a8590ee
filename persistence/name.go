package persistence

import (
	"context"
	"fmt"

	"fechatter/chat"
	"fechatter/fold"
	"fechatter/lookalike"
)

// derived is what the columns that are derived from a user's names hold.
type derived struct{ search, folded, usernameLook, nameLook string }

func derive(username, displayName string) derived {
	folded := fold.Text(displayName)
	return derived{
		search: fold.Text(username) + "\n" + folded, folded: folded,
		usernameLook: lookalike.Skeleton(username), nameLook: lookalike.Skeleton(displayName),
	}
}

// lockNames makes those who take names wait for each other until the transaction ends: of two
// names that look alike, one is then there before the other is judged.
func lockNames(ctx context.Context, c *conn) error {
	if _, err := c.exec(ctx, "UPDATE meta SET value = value WHERE name = $1", metaNames); err != nil {
		return fmt.Errorf("lock names: %w", err)
	}
	return nil
}

// nameFacts reads, under the lock of names, what the names of others say about those of u.
func nameFacts(ctx context.Context, c *conn, u chat.User, trusted bool) (chat.NameFacts, error) {
	d := derive(u.Username, u.DisplayName)
	f := chat.NameFacts{Trusted: trusted, Look: d.nameLook}
	err := c.one(ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE username_look = $1 AND id <> $3),
			EXISTS (SELECT 1 FROM users WHERE (name_look = $2 OR username_look = $2) AND id <> $3 AND name_folded <> $4)`,
		[]any{d.usernameLook, d.nameLook, u.ID, d.folded}, &f.UsernameLike, &f.NameLike)
	if err != nil {
		return chat.NameFacts{}, fmt.Errorf("read names: %w", err)
	}
	return f, nil
}
