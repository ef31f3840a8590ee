package persistence

import (
	"context"

	"fechatter/chat"
)

// TypingFacts implements chat.TypingStore.
func (s *Store) TypingFacts(ctx context.Context, userID, chatID string) (f chat.TypingFacts, err error) {
	err = s.view(ctx, s.pools.read, "read who types", func(c *conn) error {
		err := c.one(ctx, `SELECT s.last_seq, c.archived, u.presence = 'invisible' FROM chat_members cm
			JOIN streams s ON s.id = cm.chat_id JOIN chats c ON c.id = cm.chat_id JOIN users u ON u.id = cm.user_id
			WHERE cm.user_id = $1 AND cm.chat_id = $2`, []any{userID, chatID}, &f.LastSeq, &f.Archived, &f.Hidden)
		return orNotFound(err, noChat())
	})
	return f, err
}
