package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"fechatter/chat"
)

const memberColumns = "cm.user_id, cm.role, cm.joined_at, cm.added_seq, cm.muted, cm.standing, cm.barred, " +
	"cm.hidden_no >= (SELECT s.last_no FROM streams s WHERE s.id = cm.chat_id)"

func scanMember(rows *sql.Rows, m *chat.Member) error {
	return rows.Scan(&m.UserID, &m.Role, &m.JoinedAt, &m.AddedSeq, &m.Muted, &m.Standing, &m.Bar, &m.Hidden)
}

// requireMember refuses users who are not members of the chat.
func requireMember(ctx context.Context, c *conn, userID, chatID string) error {
	var one int
	err := c.one(ctx, "SELECT 1 FROM chat_members WHERE user_id = $1 AND chat_id = $2", []any{userID, chatID}, &one)
	return orNotFound(err, noChat())
}

// Members implements chat.MemberStore. The order is that of the events that added
// the members.
func (s *Store) Members(ctx context.Context, userID, chatID string, p chat.Page) (members []chat.Member, next string, err error) {
	var after int64
	if _, err := decodeAfter("members", p.After, &after); err != nil {
		return nil, "", err
	}
	err = s.snapshot(ctx, s.pools.read, "list members", func(c *conn) error {
		if err := requireMember(ctx, c, userID, chatID); err != nil {
			return err
		}
		members, err = collect(ctx, c, scanMember, "SELECT "+memberColumns+` FROM chat_members cm
			WHERE cm.chat_id = $1 AND cm.added_seq > $2 ORDER BY cm.added_seq LIMIT $3`, chatID, after, p.Limit+1)
		return err
	})
	return pageOf("members", members, err, p.Limit, func(m chat.Member) []any { return []any{m.AddedSeq} })
}

// Member implements chat.MemberTx.
func (t *changeTx) Member(ctx context.Context, userID string) (chat.Member, error) {
	found, err := collect(ctx, t.c, scanMember, "SELECT "+memberColumns+
		" FROM chat_members cm WHERE cm.chat_id = $1 AND cm.user_id = $2", t.change.ChatID, userID)
	if err != nil {
		return chat.Member{}, fmt.Errorf("read member: %w", err)
	}
	if len(found) == 0 {
		return chat.Member{}, noMember()
	}
	return found[0], nil
}

// Owners implements chat.MemberTx.
func (t *changeTx) Owners(ctx context.Context) (n int, err error) {
	err = t.c.one(ctx, "SELECT count(*) FROM chat_members WHERE chat_id = $1 AND role = 'owner'", []any{t.change.ChatID}, &n)
	return n, err
}

// newMemberRow is a membership as it begins.
type newMemberRow struct {
	UserID   string `json:"user_id"`
	ChatID   string `json:"chat_id"`
	Role     string `json:"role"`
	JoinedAt int64  `json:"joined_at"`
	AddedSeq int64  `json:"added_seq"`
	ReadNo   int64  `json:"read_no"`
	Standing int    `json:"standing"`
}

// InsertMembers implements chat.MemberTx.
func (t *changeTx) InsertMembers(ctx context.Context, members []chat.Member) error {
	st, err := t.stream()
	if err != nil {
		return err
	}
	rows := make([]newMemberRow, len(members))
	for i, m := range members {
		rows[i] = newMemberRow{m.UserID, t.change.ChatID, string(m.Role), int64(m.JoinedAt), m.AddedSeq, st.lastNo, int(m.Standing)}
	}
	err = execRows(ctx, t.c, "insert members", t.s.sql.insertMembers, rows)
	if t.s.d.classify(err) == failReference {
		return noUser()
	}
	if err == nil && len(rows) > 0 {
		st.members, st.changed = st.members+int64(len(rows)), true
	}
	return err
}

// neverHidden is the hidden_no of a chat that is in the list.
const neverHidden = -1

// SaveMember implements chat.MemberTx.
func (t *changeTx) SaveMember(ctx context.Context, m chat.Member) error {
	st, err := t.stream()
	if err != nil {
		return err
	}
	hiddenNo := int64(neverHidden)
	if m.Hidden {
		hiddenNo = st.lastNo
	}
	n, err := t.c.exec(ctx, `UPDATE chat_members SET role = $3, muted = $4, standing = $5, hidden_no = $6, barred = $7
		WHERE chat_id = $1 AND user_id = $2`,
		t.change.ChatID, m.UserID, string(m.Role), flag(m.Muted), int(m.Standing), hiddenNo, int(m.Bar))
	return oneRow(n, err, noMember())
}

// DeleteMember implements chat.MemberTx.
func (t *changeTx) DeleteMember(ctx context.Context, userID string) error {
	st, err := t.stream()
	if err != nil {
		return err
	}
	n, err := t.c.exec(ctx, "DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2", t.change.ChatID, userID)
	if err := oneRow(n, err, noMember()); err != nil {
		return err
	}
	st.members, st.changed = st.members-1, true
	return nil
}

// MemberNames implements chat.MemberTx.
func (t *changeTx) MemberNames(ctx context.Context, usernames []string) (map[string]string, error) {
	ids := map[string]string{}
	if len(usernames) == 0 {
		return ids, nil
	}
	rows := make([]map[string]string, len(usernames))
	for i, name := range usernames {
		rows[i] = map[string]string{"chat_id": t.change.ChatID, "name": name}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("encode names: %w", err)
	}
	_, err = collect(ctx, t.c, func(rows *sql.Rows, _ *struct{}) error {
		var chatID, name, id string
		err := rows.Scan(&chatID, &name, &id)
		ids[name] = id
		return err
	}, t.s.sql.names, string(b))
	if err != nil {
		return nil, fmt.Errorf("read member names: %w", err)
	}
	return ids, nil
}

// oneRow returns the refusal if a statement found nothing to change.
func oneRow(n int64, err error, refusal *chat.Error) error {
	if err == nil && n == 0 {
		return refusal
	}
	return err
}
