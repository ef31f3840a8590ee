package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"fechatter/chat"
)

// unused is a condition on cm that the index of memberships which nobody used needs to
// find word by word.
const unused = "cm.user_id = u.id AND cm.standing < 2 AND cm.standing = "

// inviter is who put a member into a chat; who made it, if the log does not go that far back.
const inviter = `COALESCE((SELECT e.actor_id FROM events e WHERE e.stream_id = cm.chat_id AND e.seq = cm.added_seq),
	(SELECT c.created_by FROM chats c WHERE c.id = cm.chat_id))`

// oldestRequest is the chat of the oldest request by whoever made most of those that wait for a
// user, NULL if there is none.
const oldestRequest = "(SELECT cm.chat_id FROM chat_members cm WHERE " + unused + "0 " +
	"ORDER BY count(*) OVER (PARTITION BY " + inviter + ") DESC, cm.joined_at, cm.chat_id LIMIT 1)"

// requested is how many requests wait for a user.
const requested = "(SELECT count(*) FROM chat_members cm WHERE " + unused + "0)"

// Knowing implements chat.MemberStore. It tries each user's chats until the actor is in
// one: a user's list is short where the actor's may be that of somebody who invites
// everybody. CROSS JOIN makes SQLite do so, too.
func (s *Store) Knowing(ctx context.Context, actorID string, userIDs []string) (map[string]bool, error) {
	known := make(map[string]bool, len(userIDs))
	if len(userIDs) == 0 {
		return known, nil
	}
	err := s.view(ctx, s.pools.read, "read who knows whom", func(c *conn) error {
		ids, err := collect(ctx, c, scanString, `SELECT u.id FROM users u WHERE u.id IN `+s.d.ids()+`
			AND EXISTS (SELECT 1 FROM chat_members cm CROSS JOIN chat_members v
				WHERE cm.user_id = u.id AND cm.standing > 0 AND v.user_id = $2 AND v.chat_id = cm.chat_id)`, encodeIDs(userIDs), actorID)
		for _, id := range ids {
			known[id] = true
		}
		return err
	})
	return known, err
}

// lockInboxes locks the inboxes of those who may be put into the chat, and returns the
// chats of the requests that may have to make room for it. Nothing adds a request from
// here on, so that what is the oldest one stays it, unless it ends.
func (t *changeTx) lockInboxes(ctx context.Context) (oldest []string, err error) {
	if len(t.change.Inboxes) == 0 {
		return nil, nil
	}
	if err := t.s.lockUsers(ctx, t.c, inboxes, t.change.Inboxes); err != nil {
		return nil, err
	}
	oldest, err = collect(ctx, t.c, scanString, "SELECT "+oldestRequest+" FROM users u WHERE u.id IN "+t.s.d.ids()+
		" AND "+requested+" >= $2", encodeIDs(t.change.Inboxes), t.change.Full)
	if err != nil {
		return nil, fmt.Errorf("read which requests are the oldest: %w", err)
	}
	return oldest, nil
}

// Inboxes implements chat.MemberTx.
func (t *changeTx) Inboxes(ctx context.Context, actorID string, userIDs []string) (map[string]chat.Inbox, error) {
	boxes := make(map[string]chat.Inbox, len(userIDs))
	_, err := collect(ctx, t.c, func(rows *sql.Rows, _ *struct{}) error {
		var id string
		var box chat.Inbox
		if err := rows.Scan(&id, &box.Requested, &box.Admitted, &box.Oldest, &box.Bar); err != nil {
			return err
		}
		if !slices.Contains(t.beside, box.Oldest) {
			box.Oldest = ""
		}
		boxes[id] = box
		return nil
	}, `SELECT u.id, `+requested+`,
			(SELECT count(*) FROM chat_members cm WHERE `+unused+`1),
			CASE WHEN `+requested+` >= $3 THEN `+oldestRequest+` ELSE '' END,
			(SELECT count(*) FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $2)
				+ 2 * (SELECT count(*) FROM blocks b WHERE b.user_id = $2 AND b.blocked_id = u.id)
		FROM users u WHERE `+present+` AND u.id IN `+t.s.d.ids(), encodeIDs(userIDs), actorID, max(t.change.Full, 1))
	if err != nil {
		return nil, fmt.Errorf("read inboxes: %w", err)
	}
	return boxes, nil
}

// AcceptedChats implements chat.MemberTx.
func (t *changeTx) AcceptedChats(ctx context.Context, userID string) (int, error) {
	counts, err := t.s.acceptedChats(ctx, t.c, []string{userID})
	return counts[userID], err
}

// acceptedChats counts the users' own chats, under a lock that whoever gives them one more
// takes, too.
func (s *Store) acceptedChats(ctx context.Context, c *conn, userIDs []string) (map[string]int, error) {
	if err := s.lockUsers(ctx, c, ownChats, userIDs); err != nil {
		return nil, err
	}
	counts := make(map[string]int, len(userIDs))
	_, err := collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
		var id string
		var n int
		err := rows.Scan(&id, &n)
		counts[id] = n
		return err
	}, "SELECT user_id, count(*) FROM chat_members WHERE user_id IN "+s.d.ids()+" AND standing = 2 GROUP BY user_id", encodeIDs(userIDs))
	if err != nil {
		return nil, fmt.Errorf("count chats: %w", err)
	}
	return counts, nil
}
