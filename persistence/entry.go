package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"fechatter/chat"
)

// entryQuery reads chats as a member sees them, each with its newest message.
func (s *Store) entryQuery() string {
	return "SELECT " + chatColumns + `, s.members, s.last_seq, s.last_ts, s.last_no - cm.read_no,
		cm.read_seq, cm.delivered_seq, cm.role, cm.muted, cm.added_seq, cm.hidden_no >= s.last_no, cm.standing = 0,
		` + mentionsOf("cm") + `,
		` + messageColumns + `
	FROM chat_members cm
	JOIN chats c ON c.id = cm.chat_id
	JOIN streams s ON s.id = cm.chat_id
	LEFT JOIN messages m ON m.chat_id = cm.chat_id
		AND m.seq = (SELECT max(n.seq) FROM messages n WHERE n.chat_id = cm.chat_id)
	WHERE cm.user_id = $1`
}

// mentionsOf is an expression: the number of mentions that a member has not read. row has
// the user_id, chat_id and read_seq. Those by senders whom the member has blocked do not
// count, which few members have to be asked about.
func mentionsOf(row string) string {
	return strings.ReplaceAll(`(SELECT count(*) FROM mentions x WHERE x.user_id = r.user_id AND x.chat_id = r.chat_id AND x.seq > r.read_seq)
		+ (SELECT count(*) FROM messages a WHERE a.chat_id = r.chat_id AND a.mentions_all = 1 AND a.seq > r.read_seq)
		- CASE WHEN EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = r.user_id) THEN
			(SELECT count(*) FROM mentions x JOIN messages a ON a.chat_id = x.chat_id AND a.seq = x.seq
				JOIN blocks b ON b.user_id = x.user_id AND b.blocked_id = a.sender_id
				WHERE x.user_id = r.user_id AND x.chat_id = r.chat_id AND x.seq > r.read_seq)
			+ (SELECT count(*) FROM messages a JOIN blocks b ON b.user_id = r.user_id AND b.blocked_id = a.sender_id
				WHERE a.chat_id = r.chat_id AND a.mentions_all = 1 AND a.seq > r.read_seq)
		ELSE 0 END`, "r.", row+".")
}

// entryRow is an entry with the time of its last event, by which lists are sorted.
type entryRow struct {
	chat.Entry
	lastTS chat.Time
}

func scanEntry(rows *sql.Rows, e *entryRow) error {
	var m messageScan
	into := append(chatFields(&e.Chat), &e.MemberCount, &e.LastSeq, &e.lastTS, &e.Unread, &e.ReadSeq, &e.DeliveredSeq,
		&e.Role, &e.Muted, &e.AddedSeq, &e.Hidden, &e.Request, &e.Mentions)
	if err := rows.Scan(append(into, m.fields()...)...); err != nil {
		return err
	}
	if !m.found() {
		return nil
	}
	last, err := m.message()
	last.Body, last.Data = cutRunes(last.Body, chat.LastMessageRunes), chat.DataSummary(last.Data)
	e.LastMessage = &last
	return err
}

func cutRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// readEntries reads entries of the user, who is the first parameter. args are the
// further parameters, which rest may use.
func (s *Store) readEntries(ctx context.Context, c *conn, userID, rest string, args ...any) ([]entryRow, error) {
	rows, err := collect(ctx, c, scanEntry, s.entryQuery()+rest, append([]any{userID}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	chats := make([]*chat.Chat, len(rows))
	var last []*chat.Message
	for i := range rows {
		chats[i] = &rows[i].Chat
		if m := rows[i].LastMessage; m != nil {
			last = append(last, m)
		}
	}
	if err := s.readMemberIDs(ctx, c, chats...); err != nil {
		return nil, err
	}
	return rows, s.readReactions(ctx, c, userID, last)
}

// Entry implements chat.ChatStore.
func (s *Store) Entry(ctx context.Context, userID, chatID string) (e chat.Entry, err error) {
	err = s.snapshot(ctx, s.pools.read, "read entry", func(c *conn) error {
		rows, err := s.readEntries(ctx, c, userID, " AND cm.chat_id = $2", chatID)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return noChat()
		}
		e = rows[0].Entry
		return nil
	})
	return e, err
}

// Entries implements chat.ChatStore.
func (s *Store) Entries(ctx context.Context, userID string, p chat.Page) (chat.EntryPage, error) {
	var ts int64
	var id string
	paged, err := decodeAfter("chats", p.After, &ts, &id)
	if err != nil {
		return chat.EntryPage{}, err
	}
	rest, args := " AND cm.hidden_no < s.last_no ORDER BY s.last_ts DESC, cm.chat_id DESC LIMIT $2", []any{p.Limit + 1}
	if paged {
		rest = " AND (s.last_ts < $3 OR s.last_ts = $3 AND cm.chat_id < $4)" + rest
		args = append(args, ts, id)
	}
	page, rows, err := s.entries(ctx, s.pools.read, userID, rest, args...)
	if len(rows) > p.Limit {
		page.Entries = page.Entries[:p.Limit]
		last := rows[p.Limit-1]
		page.Next = encodeAfter("chats", int64(last.lastTS), last.ID)
	}
	return page, err
}

// AllEntries implements chat.ChatStore.
func (s *Store) AllEntries(ctx context.Context, userID string) (chat.EntryPage, error) {
	page, _, err := s.entries(ctx, s.pools.replay, userID, " ORDER BY s.last_ts DESC, cm.chat_id DESC")
	return page, err
}

func (s *Store) entries(ctx context.Context, p *pool, userID, rest string, args ...any) (page chat.EntryPage, rows []entryRow, err error) {
	err = s.snapshot(ctx, p, "list entries", func(c *conn) error {
		if err := c.one(ctx, "SELECT "+s.d.epoch+", "+s.d.horizon, nil, &page.Epoch, &page.Horizon); err != nil {
			return fmt.Errorf("read epoch: %w", err)
		}
		rows, err = s.readEntries(ctx, c, userID, rest, args...)
		return err
	})
	page.Entries = make([]chat.Entry, len(rows))
	for i := range rows {
		page.Entries[i] = rows[i].Entry
	}
	return page, rows, err
}
