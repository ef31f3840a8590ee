package persistence

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"fechatter/chat"
)

const presenceColumns = "u.id, u.presence, u.last_active_at, u.status_text, u.status_emoji, u.status_until"

func scanPresence(rows *sql.Rows, f *chat.PresenceFacts) error {
	err := rows.Scan(&f.UserID, &f.Setting, &f.LastActiveAt, &f.StatusText, &f.StatusEmoji, &f.StatusUntil)
	f.Status = liveStatus(f.Status)
	return err
}

// PresenceFacts implements chat.PresenceStore.
func (s *Store) PresenceFacts(ctx context.Context, userIDs []string) (facts []chat.PresenceFacts, err error) {
	err = s.view(ctx, s.pools.read, "read presence", func(c *conn) error {
		facts, err = collect(ctx, c, scanPresence, "SELECT "+presenceColumns+" FROM users u WHERE u.id IN "+s.d.ids(), encodeIDs(userIDs))
		return err
	})
	return facts, err
}

// VisiblePresence implements chat.PresenceStore. It tries each person's chats until
// one is shared: the people asked for mostly share the first.
func (s *Store) VisiblePresence(ctx context.Context, viewerID string, userIDs []string) (facts []chat.PresenceFacts, err error) {
	err = s.view(ctx, s.pools.read, "read visible presence", func(c *conn) error {
		facts, err = collect(ctx, c, scanPresence, "SELECT "+presenceColumns+` FROM users u
			WHERE u.id IN `+s.d.ids()+` AND (u.id = $2 OR EXISTS (
				SELECT 1 FROM chat_members cm
				JOIN chat_members v ON v.user_id = $2 AND v.chat_id = cm.chat_id
				WHERE cm.user_id = u.id)
			AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = $2 AND b.blocked_id = u.id)
			AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $2))`, encodeIDs(userIDs), viewerID)
		return err
	})
	return facts, err
}

// SetPresence implements chat.PresenceStore. The right side of SET sees the row as
// it was: whether the person was invisible before.
func (s *Store) SetPresence(ctx context.Context, userID string, setting chat.PresenceState, lastActive chat.Time) error {
	return s.update(ctx, "set presence", func(c *conn) ([]chat.Event, error) {
		n, err := c.exec(ctx, `UPDATE users SET presence = $2, last_active_at =
			CASE WHEN presence <> 'invisible' AND last_active_at < $3 THEN $3 ELSE last_active_at END
			WHERE id = $1`, userID, string(setting), int64(lastActive))
		return nil, oneRow(n, err, noUser())
	})
}

// lastActiveRow is the time of a person's last activity.
type lastActiveRow struct {
	ID string `json:"id"`
	At int64  `json:"at"`
}

// SaveLastActive implements chat.PresenceStore. The rows are in the order of their
// ids, so that of two nodes that save the same people one waits for the other.
func (s *Store) SaveLastActive(ctx context.Context, at map[string]chat.Time) error {
	rows := make([]lastActiveRow, 0, len(at))
	for id, t := range at {
		rows = append(rows, lastActiveRow{id, int64(t)})
	}
	slices.SortFunc(rows, func(a, b lastActiveRow) int { return cmp.Compare(a.ID, b.ID) })
	encoded, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode last activities: %w", err)
	}
	return s.update(ctx, "save last activities", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE users SET last_active_at = r.at FROM "+s.d.recordset(columnsOf[lastActiveRow]())+` AS r
			WHERE users.id = r.id AND users.last_active_at < r.at AND users.presence <> 'invisible'`, string(encoded))
		return nil, err
	})
}

// TypingFacts implements chat.TypingStore.
func (s *Store) TypingFacts(ctx context.Context, userID, chatID string) (f chat.TypingFacts, err error) {
	err = s.view(ctx, s.pools.read, "read who types", func(c *conn) error {
		err := c.one(ctx, `SELECT s.last_seq, s.members, c.archived, u.presence = 'invisible' FROM chat_members cm
			JOIN streams s ON s.id = cm.chat_id JOIN chats c ON c.id = cm.chat_id JOIN users u ON u.id = cm.user_id
			WHERE cm.user_id = $1 AND cm.chat_id = $2`, []any{userID, chatID}, &f.LastSeq, &f.Members, &f.Archived, &f.Hidden)
		return orNotFound(err, noChat())
	})
	return f, err
}
