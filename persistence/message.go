package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"fechatter/chat"
)

const messageColumns = "m.id, m.chat_id, m.seq, m.sender_id, m.key, m.body, m.data, m.attachments, m.reply_to, m.mentions, m.mentions_all, " +
	"m.version, m.changed_seq, m.created_at, m.edited_at, m.deleted_at"

// messageScan is a row of messageColumns, all NULL if an outer join found none.
type messageScan struct {
	id, chatID, senderID, key, body, data, files, replyTo, mentions sql.NullString
	seq, version, changed, created, edited, deleted                 sql.NullInt64
	all                                                             sql.NullInt64
}

func (m *messageScan) fields() []any {
	return []any{&m.id, &m.chatID, &m.seq, &m.senderID, &m.key, &m.body, &m.data, &m.files, &m.replyTo, &m.mentions, &m.all, &m.version,
		&m.changed, &m.created, &m.edited, &m.deleted}
}

func (m *messageScan) found() bool { return m.id.Valid }

func (m *messageScan) message() (chat.Message, error) {
	ids, err := decodeIDs(m.mentions.String)
	if err != nil {
		return chat.Message{}, err
	}
	files, err := decodeFiles(m.files.String)
	var data json.RawMessage
	if m.data.String != "" {
		data = json.RawMessage(m.data.String)
	}
	return chat.Message{Data: data, Attachments: files, ID: m.id.String, ChatID: m.chatID.String, Seq: m.seq.Int64, SenderID: m.senderID.String,
		Body: m.body.String, ReplyTo: m.replyTo.String, Mentions: ids, MentionsAll: m.all.Int64 == 1,
		Reactions: []chat.Reaction{}, Version: m.version.Int64, CreatedAt: chat.Time(m.created.Int64),
		EditedAt: optionalTime(m.edited), DeletedAt: optionalTime(m.deleted), ChangedSeq: m.changed.Int64}, err
}

func optionalTime(v sql.NullInt64) *chat.Time {
	if !v.Valid {
		return nil
	}
	t := chat.Time(v.Int64)
	return &t
}

func nullTime(t *chat.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: int64(*t), Valid: true}
}

func scanMessage(rows *sql.Rows, into *chat.Message) error {
	var m messageScan
	if err := rows.Scan(m.fields()...); err != nil {
		return err
	}
	var err error
	*into, err = m.message()
	return err
}

// SentByKey implements chat.MessageStore.
func (s *Store) SentByKey(ctx context.Context, m chat.Send) (sent chat.Sent, err error) {
	err = s.view(ctx, s.pools.read, "look up key", func(c *conn) error {
		var stored string
		err := c.one(ctx, `SELECT id, seq, created_at, fingerprint FROM messages
			WHERE chat_id = $1 AND sender_id = $2 AND key = $3`, []any{m.ChatID, m.SenderID, m.Key},
			&sent.MessageID, &sent.Seq, &sent.TS, &stored)
		if err != nil {
			return orNotFound(err, noMessage())
		}
		first, err := hex.DecodeString(stored)
		if err != nil {
			return fmt.Errorf("read fingerprint: %w", err)
		}
		return m.AdmitReplay(first)
	})
	if err != nil {
		return chat.Sent{}, err
	}
	sent.Replayed = true
	return sent, nil
}

// PlaceOfMessage implements chat.MessageStore.
func (s *Store) PlaceOfMessage(ctx context.Context, messageID string) (chatID string, seq int64, err error) {
	err = s.view(ctx, s.pools.read, "find place of message", func(c *conn) error {
		err := c.one(ctx, "SELECT chat_id, seq FROM messages WHERE id = $1", []any{messageID}, &chatID, &seq)
		return orNotFound(err, noMessage())
	})
	return chatID, seq, err
}

// Message implements chat.MessageStore.
func (s *Store) Message(ctx context.Context, userID, messageID string) (m chat.Message, err error) {
	err = s.snapshot(ctx, s.pools.read, "read message", func(c *conn) error {
		found, err := collect(ctx, c, scanMessage, "SELECT "+messageColumns+` FROM messages m
			JOIN chat_members cm ON cm.chat_id = m.chat_id AND cm.user_id = $2 WHERE m.id = $1`, messageID, userID)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return noMessage()
		}
		m = found[0]
		return s.readReactions(ctx, c, userID, []*chat.Message{&m})
	})
	return m, err
}

// Message implements chat.MessageTx.
func (t *changeTx) Message(ctx context.Context, id string) (chat.Message, error) {
	found, err := collect(ctx, t.c, scanMessage, "SELECT "+messageColumns+
		" FROM messages m WHERE m.id = $1 AND m.chat_id = $2", id, t.change.ChatID)
	if err != nil {
		return chat.Message{}, fmt.Errorf("read message: %w", err)
	}
	if len(found) == 0 {
		return chat.Message{}, noMessage()
	}
	return found[0], nil
}

// SaveMessage implements chat.MessageTx.
func (t *changeTx) SaveMessage(ctx context.Context, m chat.Message) error {
	n, err := t.c.exec(ctx, `UPDATE messages SET body = $3, mentions = $4, mentions_all = $5, version = $6, changed_seq = $7,
			edited_at = $8, deleted_at = $9, data = $10, attachments = $11 WHERE id = $1 AND chat_id = $2`,
		m.ID, t.change.ChatID, m.Body, encodeIDs(m.Mentions), flag(m.MentionsAll), m.Version, m.ChangedSeq,
		nullTime(m.EditedAt), nullTime(m.DeletedAt), string(m.Data), encodeFiles(m.Attachments))
	if err := oneRow(n, err, noMessage()); err != nil {
		return err
	}
	if m.DeletedAt != nil {
		if err := t.s.releaseFiles(ctx, t.c, encodeIDs([]string{m.ID}), t.Now()); err != nil {
			return err
		}
	}
	if err := t.saveMentions(ctx, m); err != nil {
		return err
	}
	_, err = t.c.exec(ctx, `INSERT INTO index_outbox (message_id, version, queued_at) VALUES ($1, $2, $3)
		ON CONFLICT (message_id) DO UPDATE SET version = excluded.version, refused = ''`, m.ID, m.Version, int64(t.Now()))
	if err != nil {
		return fmt.Errorf("queue message for the index: %w", err)
	}
	return nil
}

func (t *changeTx) saveMentions(ctx context.Context, m chat.Message) error {
	if _, err := t.c.exec(ctx, "DELETE FROM mentions WHERE chat_id = $1 AND seq = $2", t.change.ChatID, m.Seq); err != nil {
		return fmt.Errorf("delete mentions: %w", err)
	}
	if m.MentionsAll {
		return nil
	}
	rows := make([]mentionRow, len(m.Mentions))
	for i, id := range m.Mentions {
		rows[i] = mentionRow{id, t.change.ChatID, m.Seq}
	}
	return execRows(ctx, t.c, "insert mentions", t.s.sql.insertMentions, rows)
}

// storedPayload is what the log keeps of an event: everything except what people wrote.
func storedPayload(e chat.Event) (string, error) {
	var kept any
	switch d := e.D.(type) {
	case chat.MessageCreated:
		kept = struct{}{}
	case chat.MessageEdited:
		kept = map[string]any{"message_id": d.MessageID, "message_seq": d.MessageSeq, "version": d.Version, "edited_at": d.EditedAt}
	default:
		kept = e.D
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("encode payload of %s: %w", e.Op, err)
	}
	return string(b), nil
}
