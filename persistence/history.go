package persistence

import (
	"context"
	"fmt"
	"slices"

	"fechatter/chat"
)

// History implements chat.MessageStore.
func (s *Store) History(ctx context.Context, userID, chatID string, r chat.Range) (h chat.History, err error) {
	err = s.snapshot(ctx, s.pools.read, "read history", func(c *conn) error {
		h = chat.History{}
		err := c.one(ctx, "SELECT s.last_seq, "+s.d.epoch+` FROM chat_members cm JOIN streams s ON s.id = cm.chat_id
			WHERE cm.user_id = $1 AND cm.chat_id = $2`, []any{userID, chatID}, &h.LastSeq, &h.Epoch)
		if err != nil {
			return orNotFound(err, noChat())
		}
		if err := readRange(ctx, c, chatID, r, &h); err != nil {
			return err
		}
		messages := make([]*chat.Message, len(h.Messages))
		for i := range h.Messages {
			messages[i] = &h.Messages[i]
		}
		return s.readReactions(ctx, c, userID, messages)
	})
	return h, err
}

func readRange(ctx context.Context, c *conn, chatID string, r chat.Range, h *chat.History) (err error) {
	switch {
	case r.Around != nil:
		return readAround(ctx, c, chatID, *r.Around, r.Limit, h)
	case r.After != nil:
		h.Messages, h.HasMore, err = messagesFrom(ctx, c, chatID, *r.After+1, r.Limit)
	case r.Before != nil:
		h.Messages, h.HasMore, err = messagesBefore(ctx, c, chatID, *r.Before, r.Limit)
	default:
		h.Messages, h.HasMore, err = messagesBefore(ctx, c, chatID, h.LastSeq+1, r.Limit)
	}
	return err
}

// readAround reads half of the limit on each side of seq, with the message at seq
// itself on the later side, and fills up what one side lacks from the other.
func readAround(ctx context.Context, c *conn, chatID string, seq int64, limit int, h *chat.History) error {
	before, moreBefore, err := messagesBefore(ctx, c, chatID, seq, limit)
	if err != nil {
		return err
	}
	after, moreAfter, err := messagesFrom(ctx, c, chatID, seq, limit)
	if err != nil {
		return err
	}
	takeAfter := min(len(after), max(limit-limit/2, limit-len(before)))
	takeBefore := min(len(before), limit-takeAfter)
	h.HasBefore = moreBefore || takeBefore < len(before)
	h.HasAfter = moreAfter || takeAfter < len(after)
	h.HasMore = h.HasBefore || h.HasAfter
	h.Messages = slices.Concat(before[len(before)-takeBefore:], after[:takeAfter])
	return nil
}

func messagesFrom(ctx context.Context, c *conn, chatID string, seq int64, limit int) ([]chat.Message, bool, error) {
	found, err := collect(ctx, c, scanMessage, "SELECT "+messageColumns+
		" FROM messages m WHERE m.chat_id = $1 AND m.seq >= $2 ORDER BY m.seq LIMIT $3", chatID, seq, limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("read messages: %w", err)
	}
	found, more := cut(found, limit)
	return found, more, nil
}

func messagesBefore(ctx context.Context, c *conn, chatID string, seq int64, limit int) ([]chat.Message, bool, error) {
	found, err := collect(ctx, c, scanMessage, "SELECT "+messageColumns+
		" FROM messages m WHERE m.chat_id = $1 AND m.seq < $2 ORDER BY m.seq DESC LIMIT $3", chatID, seq, limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("read messages: %w", err)
	}
	found, more := cut(found, limit)
	slices.Reverse(found)
	return found, more, nil
}
