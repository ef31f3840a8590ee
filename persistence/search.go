package persistence

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"fechatter/chat"
	"fechatter/fold"
)

// unindexedRows is how many of the newest rows of the outbox, from all chats, are
// searched for those of one user.
const unindexedRows = 2000

var _ chat.SearchStore = (*Store)(nil)

// ChatIDsNamed implements chat.SearchStore.
func (s *Store) ChatIDsNamed(ctx context.Context, userID string, names, directKeys []string) (ids []string, err error) {
	folded := make([]string, len(names))
	for i, name := range names {
		folded[i] = fold.Text(name)
	}
	err = s.view(ctx, s.pools.read, "find chats by name", func(c *conn) error {
		ids, err = collect(ctx, c, scanString, `SELECT cm.chat_id FROM chat_members cm JOIN chats c ON c.id = cm.chat_id
			WHERE cm.user_id = $2 AND (c.search <> '' AND c.search IN `+s.d.ids()+` OR c.direct_key IN `+s.d.ids()+")",
			encodeIDs(slices.Concat(folded, directKeys)), userID)
		return err
	})
	return ids, err
}

// UserIDsNamed implements chat.SearchStore.
func (s *Store) UserIDsNamed(ctx context.Context, name string, limit int) (ids []string, err error) {
	folded := fold.Text(name)
	if folded == "" {
		return nil, nil
	}
	err = s.view(ctx, s.pools.read, "find users by name", func(c *conn) error {
		ids, err = collect(ctx, c, scanString, "SELECT id FROM users WHERE username = $1 OR name_folded = $1 ORDER BY id LIMIT $2", folded, limit)
		return err
	})
	return ids, err
}

// Unindexed implements chat.SearchStore. It reads the log last: what leaves the outbox in
// between then counts as indexed.
func (s *Store) Unindexed(ctx context.Context, userID string, limit int) (tail chat.IndexTail, err error) {
	err = s.view(ctx, s.pools.read, "read what is not indexed", func(c *conn) error {
		tail.Messages, err = collect(ctx, c, scanMessage, `SELECT `+messageColumns+`
			FROM (SELECT message_id FROM index_outbox ORDER BY message_id DESC LIMIT $2) AS r
			CROSS JOIN messages m CROSS JOIN chat_members cm
			WHERE m.id = r.message_id AND cm.chat_id = m.chat_id AND cm.user_id = $1
			ORDER BY m.created_at DESC, m.id DESC LIMIT $3`, userID, unindexedRows, limit)
		return err
	})
	if err != nil {
		return chat.IndexTail{}, err
	}
	err = s.view(ctx, s.pools.read, "read what is not indexed", func(c *conn) error {
		var lag sql.NullInt64
		err := c.one(ctx, `SELECT (SELECT `+s.d.now+` - min(`+queuedAt+`)
			FROM (SELECT * FROM index_outbox WHERE refused = '' ORDER BY message_id LIMIT $1) AS o), (SELECT max(last) FROM index_log)`,
			[]any{unindexedRows}, &lag, &tail.Indexed)
		tail.Lag = max(0, time.Duration(lag.Int64)*time.Millisecond)
		return err
	})
	return tail, err
}

// VisibleMessages implements chat.SearchStore. CROSS JOIN, here and in Unindexed,
// makes SQLite join in this order, from messages to memberships. The other way
// round it would read all messages in the user's chats.
func (s *Store) VisibleMessages(ctx context.Context, userID string, ids []string) (map[string]chat.Message, error) {
	visible := make(map[string]chat.Message, len(ids))
	if len(ids) == 0 {
		return visible, nil
	}
	err := s.snapshot(ctx, s.pools.read, "read messages found", func(c *conn) error {
		found, err := collect(ctx, c, scanMessage, "SELECT "+messageColumns+` FROM `+s.d.ids()+` AS i
			CROSS JOIN messages m CROSS JOIN chat_members cm
			WHERE m.id = i.value AND m.deleted_at IS NULL AND cm.chat_id = m.chat_id AND cm.user_id = $2`, encodeIDs(ids), userID)
		if err != nil {
			return err
		}
		messages := make([]*chat.Message, len(found))
		for i := range found {
			messages[i] = &found[i]
		}
		if err := s.readReactions(ctx, c, userID, messages); err != nil {
			return err
		}
		for _, m := range found {
			visible[m.ID] = m
		}
		return nil
	})
	return visible, err
}
