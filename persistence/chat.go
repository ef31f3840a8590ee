package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"fechatter/chat"
	"fechatter/fold"
)

const chatColumns = "c.id, c.kind, c.name, c.topic, c.created_by, c.created_at, c.archived"

// chatFields returns the destinations for a row of chatColumns.
func chatFields(v *chat.Chat) []any {
	return []any{&v.ID, &v.Kind, &v.Name, &v.Topic, &v.CreatedBy, &v.CreatedAt, &v.Archived}
}

// Chat implements chat.ChatStore.
func (s *Store) Chat(ctx context.Context, userID, chatID string) (v chat.Chat, err error) {
	err = s.snapshot(ctx, s.pools.read, "read chat", func(c *conn) error {
		v = chat.Chat{}
		err := c.one(ctx, "SELECT "+chatColumns+`, s.members FROM chats c JOIN streams s ON s.id = c.id
			JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $2 WHERE c.id = $1`,
			[]any{chatID, userID}, append(chatFields(&v), &v.MemberCount)...)
		if err != nil {
			return orNotFound(err, noChat())
		}
		return s.readMemberIDs(ctx, c, &v)
	})
	return v, err
}

// readMemberIDs fills in the members of chats that list them.
func (s *Store) readMemberIDs(ctx context.Context, c *conn, chats ...*chat.Chat) error {
	byID := map[string]*chat.Chat{}
	var ids []string
	for _, v := range chats {
		if (v.Kind == chat.Direct || v.Kind == chat.Group) && v.MemberCount <= chat.MaxMemberIDs {
			byID[v.ID] = v
			ids = append(ids, v.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
		var chatID, userID string
		if err := rows.Scan(&chatID, &userID); err != nil {
			return err
		}
		byID[chatID].MemberIDs = append(byID[chatID].MemberIDs, userID)
		return nil
	}, "SELECT chat_id, user_id FROM chat_members WHERE chat_id IN "+s.d.ids()+" ORDER BY chat_id, added_seq", encodeIDs(ids))
	if err != nil {
		return fmt.Errorf("read member ids: %w", err)
	}
	return nil
}

// ChatIDs implements chat.ChatStore.
func (s *Store) ChatIDs(ctx context.Context, userID string) (ids []string, err error) {
	err = s.view(ctx, s.pools.read, "list chat ids", func(c *conn) error {
		ids, err = collect(ctx, c, scanString, "SELECT chat_id FROM chat_members WHERE user_id = $1", userID)
		return err
	})
	return ids, err
}

// PublicChats implements chat.ChatStore.
func (s *Store) PublicChats(ctx context.Context, userID, q string, p chat.Page) (chats []chat.PublicChat, next string, err error) {
	var name, id string
	if _, err := decodeAfter("public", p.After, &name, &id); err != nil {
		return nil, "", err
	}
	err = s.view(ctx, s.pools.read, "list public chats", func(c *conn) error {
		chats, err = collect(ctx, c, func(rows *sql.Rows, v *chat.PublicChat) error {
			if err := rows.Scan(append(chatFields(&v.Chat), &v.Members, &v.Joined)...); err != nil {
				return err
			}
			v.MemberCount = v.Members
			return nil
		}, "SELECT "+chatColumns+`, s.members, cm.user_id IS NOT NULL FROM chats c JOIN streams s ON s.id = c.id
			LEFT JOIN chat_members cm ON cm.chat_id = c.id AND cm.user_id = $1
			WHERE c.kind = 'public' AND c.archived = 0 AND c.search LIKE $2 ESCAPE '\'
				AND (c.search > $3 OR c.search = $3 AND c.id > $4)
			ORDER BY c.search, c.id LIMIT $5`, userID, pattern(q), name, id, p.Limit+1)
		return err
	})
	return pageOf("public", chats, err, p.Limit, func(v chat.PublicChat) []any { return []any{fold.Text(v.Name), v.ID} })
}

// Chat implements chat.ChatTx.
func (t *changeTx) Chat(ctx context.Context) (v chat.Chat, err error) {
	st, err := t.stream()
	if err != nil {
		return chat.Chat{}, err
	}
	err = t.c.one(ctx, "SELECT "+chatColumns+" FROM chats c WHERE c.id = $1 AND c.deleted_at = 0", []any{t.change.ChatID}, chatFields(&v)...)
	if err != nil {
		return chat.Chat{}, orNotFound(err, noChat())
	}
	v.MemberCount = int(st.members)
	return v, t.s.readMemberIDs(ctx, t.c, &v)
}

// ChatByKey implements chat.ChatTx.
func (t *changeTx) ChatByKey(ctx context.Context, userID, key string) (chatID string, fingerprint []byte, err error) {
	var stored string
	err = t.c.one(ctx, "SELECT id, create_fingerprint FROM chats WHERE created_by = $1 AND create_key = $2",
		[]any{userID, key}, &chatID, &stored)
	if err != nil {
		return "", nil, orNotFound(err, noChat())
	}
	fingerprint, err = hex.DecodeString(stored)
	return chatID, fingerprint, err
}

// ChatByDirectKey implements chat.ChatTx.
func (t *changeTx) ChatByDirectKey(ctx context.Context, directKey string) (chatID string, err error) {
	err = t.c.one(ctx, "SELECT id FROM chats WHERE direct_key = $1", []any{directKey}, &chatID)
	return chatID, orNotFound(err, noChat())
}

// InsertChat implements chat.ChatTx.
func (t *changeTx) InsertChat(ctx context.Context, v chat.Chat, f chat.ChatFacts) error {
	if !t.change.New || v.ID != t.change.ChatID {
		return fmt.Errorf("insert chat %s: the change is not about a new chat with this id", v.ID)
	}
	if _, err := t.c.exec(ctx, "INSERT INTO streams (id) VALUES ($1)", v.ID); err != nil {
		return fmt.Errorf("insert stream: %w", err)
	}
	_, err := t.c.exec(ctx, `INSERT INTO chats (id, kind, name, search, topic, created_by, created_at, archived,
			direct_key, create_key, create_fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		v.ID, string(v.Kind), v.Name, fold.Text(v.Name), v.Topic, v.CreatedBy, int64(v.CreatedAt), flag(v.Archived),
		nullString(f.DirectKey), nullString(f.Key), hex.EncodeToString(f.Fingerprint))
	if err != nil {
		return fmt.Errorf("insert chat: %w", err)
	}
	t.streams[v.ID] = &stream{id: v.ID}
	return nil
}

// SaveChat implements chat.ChatTx.
func (t *changeTx) SaveChat(ctx context.Context, v chat.Chat) error {
	_, err := t.c.exec(ctx, "UPDATE chats SET name = $2, search = $3, topic = $4, archived = $5 WHERE id = $1",
		t.change.ChatID, v.Name, fold.Text(v.Name), v.Topic, flag(v.Archived))
	if err != nil {
		return fmt.Errorf("save chat: %w", err)
	}
	return nil
}

func nullString(v string) sql.NullString { return sql.NullString{String: v, Valid: v != ""} }

// decodeIDs decodes what encodeIDs wrote; the result is never nil.
func decodeIDs(stored string) ([]string, error) {
	ids := []string{}
	if stored == "[]" {
		return ids, nil
	}
	if err := json.Unmarshal([]byte(stored), &ids); err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	return ids, nil
}

func encodeIDs(ids []string) string {
	b, err := json.Marshal(ids)
	if err != nil || len(ids) == 0 {
		return "[]" // strings always encode
	}
	return string(b)
}
