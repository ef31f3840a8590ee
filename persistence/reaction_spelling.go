package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
)

// mergeSpellings joins the reactions to one message that differ in selectors alone, from the time
// when those were different emoji. See refold.
func (s *Store) mergeSpellings(ctx context.Context) error {
	const plain = "replace(replace(emoji, $2, ''), $3, '')"
	for after := ""; ; {
		var messages []string
		err := s.update(ctx, "merge spellings", func(c *conn) (_ []chat.Event, err error) {
			messages, err = collect(ctx, c, scanString, `SELECT message_id FROM (
					SELECT message_id, count(DISTINCT emoji) AS spellings, max(CASE WHEN emoji LIKE '%' || $3 || '%' THEN 1 ELSE 0 END) AS as_text
					FROM reactions WHERE message_id > $1 GROUP BY message_id, `+plain+`
				) AS r WHERE spellings > 1 OR as_text = 1 GROUP BY message_id ORDER BY message_id LIMIT $4`,
				after, chat.EmojiSelector, chat.TextSelector, refoldRows)
			for _, id := range messages {
				if err == nil {
					err = mergeSpellingsOf(ctx, c, id)
				}
			}
			return nil, err
		})
		if err != nil {
			return fmt.Errorf("merge spellings: %w", err)
		}
		if len(messages) < refoldRows {
			return nil
		}
		after = messages[len(messages)-1]
	}
}

// mergeSpellingsOf keeps for each emoji the spelling that came first, without TextSelector, and
// of each user the first reaction with it.
func mergeSpellingsOf(ctx context.Context, c *conn, messageID string) error {
	type reaction struct{ userID, emoji string }
	stored, err := collect(ctx, c, func(rows *sql.Rows, r *reaction) error { return rows.Scan(&r.userID, &r.emoji) },
		"SELECT user_id, emoji FROM reactions WHERE message_id = $1 ORDER BY seq", messageID)
	if err != nil {
		return err
	}
	spellings, seen := map[string]string{}, map[reaction]bool{}
	var kept []reaction
	for _, r := range stored {
		plain := reaction{r.userID, chat.PlainEmoji(r.emoji)}
		if _, known := spellings[plain.emoji]; !known {
			spellings[plain.emoji] = chat.WithoutTextSelector(r.emoji)
		}
		if !seen[plain] {
			seen[plain], kept = true, append(kept, r)
			continue
		}
		if _, err := c.exec(ctx, "DELETE FROM reactions WHERE message_id = $1 AND emoji = $2 AND user_id = $3", messageID, r.emoji, r.userID); err != nil {
			return err
		}
	}
	for _, r := range kept { // only now, for the new spelling may have been that of what was deleted
		spelling := spellings[chat.PlainEmoji(r.emoji)]
		if spelling == r.emoji || spelling == "" {
			continue
		}
		_, err := c.exec(ctx, "UPDATE reactions SET emoji = $4 WHERE message_id = $1 AND emoji = $2 AND user_id = $3", messageID, r.emoji, r.userID, spelling)
		if err != nil {
			return err
		}
	}
	return nil
}
