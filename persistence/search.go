package persistence

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"fechatter/chat"
)

// unindexedRows is how many of the newest rows of the outbox, of all chats, are
// looked at for those of one user.
const unindexedRows = 2000

var _ chat.SearchStore = (*Store)(nil)

// ChatIDsNamed implements chat.SearchStore.
func (s *Store) ChatIDsNamed(ctx context.Context, userID, name, directKey string) (ids []string, err error) {
	err = s.view(ctx, s.pools.read, "find chats by name", func(c *conn) error {
		ids, err = collect(ctx, c, scanString, `SELECT cm.chat_id FROM chat_members cm JOIN chats c ON c.id = cm.chat_id
			WHERE cm.user_id = $1 AND (c.search = $2 AND $2 <> '' OR c.direct_key = $3)`, userID, strings.ToLower(name), directKey)
		return err
	})
	return ids, err
}

// UserByName implements chat.SearchStore.
func (s *Store) UserByName(ctx context.Context, username string) (chat.User, error) {
	u, _, err := s.Credentials(ctx, username)
	return u, err
}

// Unindexed implements chat.SearchStore.
func (s *Store) Unindexed(ctx context.Context, userID string, limit int) (messages []chat.Message, lag time.Duration, err error) {
	err = s.view(ctx, s.pools.read, "read what is not indexed", func(c *conn) error {
		var since sql.NullInt64
		err := c.one(ctx, `SELECT `+s.d.now+` - min(`+queuedAt+`)
			FROM (SELECT * FROM index_outbox WHERE refused = '' ORDER BY message_id LIMIT $1) AS o`, []any{unindexedRows}, &since)
		if err != nil || !since.Valid {
			return err
		}
		lag = max(0, time.Duration(since.Int64)*time.Millisecond)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	err = s.view(ctx, s.pools.read, "read what is not indexed", func(c *conn) error {
		messages, err = collect(ctx, c, scanMessage, `SELECT `+messageColumns+`
			FROM (SELECT message_id FROM index_outbox ORDER BY message_id DESC LIMIT $2) AS r
			CROSS JOIN messages m CROSS JOIN chat_members cm
			WHERE m.id = r.message_id AND cm.chat_id = m.chat_id AND cm.user_id = $1
			ORDER BY m.created_at DESC, m.id DESC LIMIT $3`, userID, unindexedRows, limit)
		return err
	})
	return messages, lag, err
}

// VisibleMessages implements chat.SearchStore. SQLite joins in the order of CROSS
// JOIN, here and in Unindexed: from the messages to the memberships. The other way
// round it would read all messages of the user's chats.
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
