package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"fechatter/chat"
)

// reactionRow is one of the first users who reacted with an emoji.
type reactionRow struct {
	messageID, emoji, userID string
	count                    int
	me                       bool
}

// readReactions fills in the reactions to messages as the user sees them, with one
// query for all of them.
func (s *Store) readReactions(ctx context.Context, c *conn, userID string, messages []*chat.Message) error {
	if len(messages) == 0 {
		return nil
	}
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	rows, err := collect(ctx, c, func(rows *sql.Rows, r *reactionRow) error {
		return rows.Scan(&r.messageID, &r.emoji, &r.userID, &r.count, &r.me)
	}, `SELECT message_id, emoji, user_id, total, me FROM (
			SELECT message_id, emoji, user_id, row_number() OVER users AS n, count(*) OVER emojis AS total,
				min(seq) OVER emojis AS first_seq, max(CASE WHEN user_id = $2 THEN 1 ELSE 0 END) OVER emojis AS me
			FROM reactions WHERE message_id IN `+s.d.ids()+`
			WINDOW emojis AS (PARTITION BY message_id, emoji), users AS (PARTITION BY message_id, emoji ORDER BY seq)
		) AS r WHERE n <= $3 ORDER BY message_id, first_seq, n`, encodeIDs(ids), userID, chat.ReactionUsers)
	if err != nil {
		return fmt.Errorf("read reactions: %w", err)
	}
	byMessage := map[string][]chat.Reaction{}
	for _, r := range rows {
		list := byMessage[r.messageID]
		if n := len(list); n == 0 || list[n-1].Emoji != r.emoji {
			list = append(list, chat.Reaction{Emoji: r.emoji, Count: r.count, Me: r.me})
		}
		last := &list[len(list)-1]
		last.UserIDs = append(last.UserIDs, r.userID)
		byMessage[r.messageID] = list
	}
	for _, m := range messages {
		if reactions := byMessage[m.ID]; reactions != nil {
			m.Reactions = reactions
		}
	}
	return nil
}

// Reactors implements chat.MessageStore.
func (s *Store) Reactors(ctx context.Context, userID, messageID, emoji string, p chat.Page) (userIDs []string, next string, err error) {
	var after int64
	if _, err := decodeAfter("reactors", p.After, &after); err != nil {
		return nil, "", err
	}
	type reactor struct {
		userID string
		seq    int64
	}
	var reactors []reactor
	err = s.snapshot(ctx, s.pools.read, "list reactors", func(c *conn) error {
		var one int
		err := c.one(ctx, `SELECT 1 FROM messages m JOIN chat_members cm ON cm.chat_id = m.chat_id AND cm.user_id = $2
			WHERE m.id = $1`, []any{messageID, userID}, &one)
		if err != nil {
			return orNotFound(err, noMessage())
		}
		spelling, err := spellingOf(ctx, c, messageID, emoji)
		if err != nil {
			return err
		}
		reactors, err = collect(ctx, c, func(rows *sql.Rows, r *reactor) error { return rows.Scan(&r.userID, &r.seq) },
			`SELECT user_id, seq FROM reactions WHERE message_id = $1 AND emoji = $2 AND seq > $3 ORDER BY seq LIMIT $4`,
			messageID, spelling, after, p.Limit+1)
		return err
	})
	reactors, next, err = pageOf("reactors", reactors, err, p.Limit, func(r reactor) []any { return []any{r.seq} })
	for _, r := range reactors {
		userIDs = append(userIDs, r.userID)
	}
	return userIDs, next, err
}

// Spelling implements chat.MessageTx.
func (t *changeTx) Spelling(ctx context.Context, messageID, emoji string) (string, error) {
	return spellingOf(ctx, t.c, messageID, emoji)
}

func spellingOf(ctx context.Context, c *conn, messageID, emoji string) (spelling string, err error) {
	err = c.one(ctx, `SELECT emoji FROM reactions WHERE message_id = $1 AND replace(emoji, $2, '') = $3
		ORDER BY CASE WHEN emoji = $4 THEN 0 ELSE 1 END, seq LIMIT 1`,
		[]any{messageID, chat.EmojiSelector, strings.ReplaceAll(emoji, chat.EmojiSelector, ""), emoji}, &spelling)
	if errors.Is(err, sql.ErrNoRows) {
		return emoji, nil
	}
	return spelling, err
}

// AddReaction implements chat.MessageTx. Reactions are ordered by the seqs of their
// events; the event of this one comes next.
func (t *changeTx) AddReaction(ctx context.Context, messageID, userID, emoji string) (added bool, distinct int, err error) {
	st, err := t.stream()
	if err != nil {
		return false, 0, err
	}
	n, err := t.c.exec(ctx, `INSERT INTO reactions (message_id, emoji, user_id, seq) VALUES ($1, $2, $3, $4)
		ON CONFLICT (message_id, emoji, user_id) DO NOTHING`, messageID, emoji, userID, st.lastSeq+1)
	if err != nil {
		return false, 0, fmt.Errorf("insert reaction: %w", err)
	}
	err = t.c.one(ctx, "SELECT count(DISTINCT emoji) FROM reactions WHERE message_id = $1", []any{messageID}, &distinct)
	return n == 1, distinct, err
}

// RemoveReaction implements chat.MessageTx.
func (t *changeTx) RemoveReaction(ctx context.Context, messageID, userID, emoji string) (removed bool, err error) {
	n, err := t.c.exec(ctx, "DELETE FROM reactions WHERE message_id = $1 AND emoji = $2 AND user_id = $3", messageID, emoji, userID)
	if err != nil {
		return false, fmt.Errorf("delete reaction: %w", err)
	}
	return n == 1, nil
}
