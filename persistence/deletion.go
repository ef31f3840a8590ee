package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

// DeleteChat implements chat.AdminTx. The chat is archived, free of its direct key and
// without retention, so that everything that knows those leaves it alone.
func (t *adminTx) DeleteChat(ctx context.Context, chatID string) (members int, err error) {
	st := t.streams[chatID]
	if st == nil {
		return 0, noChat()
	}
	members = int(st.members)
	e := chat.Event{Op: chat.OpChatDeleted, StreamID: st.id, D: struct{}{}}
	e.Seq, e.TS = st.next(t.now)
	st.members = 0
	n, err := t.c.exec(ctx, `UPDATE chats SET deleted_at = $2, deleted_seq = $3, archived = 1, direct_key = NULL, retention_days = 0
		WHERE id = $1 AND deleted_at = 0`, chatID, int64(e.TS), e.Seq)
	if err := oneRow(n, err, noChat()); err != nil {
		return 0, err
	}
	for _, statement := range []string{
		"INSERT INTO farewells (chat_id, user_id) SELECT chat_id, user_id FROM chat_members WHERE chat_id = $1",
		"DELETE FROM chat_members WHERE chat_id = $1",
	} {
		if _, err := t.c.exec(ctx, statement, chatID); err != nil {
			return 0, fmt.Errorf("remove members: %w", err)
		}
	}
	if err := t.s.insertEvents(ctx, t.c, t.s.newID(), []chat.Event{e}); err != nil {
		return 0, err
	}
	t.events = append(t.events, e)
	return members, t.s.saveStreams(ctx, t.c, map[string]*stream{st.id: st})
}

// UntoldChat implements chat.DeletionStore.
func (s *Store) UntoldChat(ctx context.Context) (chatID string, err error) {
	return s.anyChat(ctx, "SELECT chat_id FROM farewells LIMIT 1")
}

// DeletedChat implements chat.DeletionStore.
func (s *Store) DeletedChat(ctx context.Context, after time.Duration) (chatID string, err error) {
	return s.anyChat(ctx, "SELECT id FROM chats WHERE deleted_at > 0 AND deleted_at <= "+s.d.now+" - $1 ORDER BY id LIMIT 1", after.Milliseconds())
}

// anyChat returns the chat that a query finds, "" if it finds none.
func (s *Store) anyChat(ctx context.Context, query string, args ...any) (chatID string, err error) {
	err = s.view(ctx, s.pools.read, "look for deleted chats", func(c *conn) error {
		err := c.one(ctx, query, args, &chatID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return chatID, err
}

// Farewell implements chat.DeletionStore. Under the locks it asks again who is still to
// be told: another node may have told them meanwhile.
func (s *Store) Farewell(ctx context.Context, chatID string, limit int) (done bool, err error) {
	err = s.update(ctx, "tell former members", func(c *conn) ([]chat.Event, error) {
		waiting, err := collect(ctx, c, scanString, "SELECT user_id FROM farewells WHERE chat_id = $1 ORDER BY user_id LIMIT $2", chatID, limit)
		if done = err == nil && len(waiting) == 0; err != nil || done {
			return nil, err
		}
		streams, err := s.lockStreams(ctx, c, waiting, s.d.lock)
		if err != nil {
			return nil, err
		}
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		var seq int64
		if err := c.one(ctx, "SELECT deleted_seq FROM chats WHERE id = $1", []any{chatID}, &seq); err != nil {
			if done = errors.Is(err, sql.ErrNoRows); done {
				return nil, nil
			}
			return nil, fmt.Errorf("read deletion: %w", err)
		}
		still, err := collect(ctx, c, scanString, "SELECT user_id FROM farewells WHERE chat_id = $2 AND user_id IN "+s.d.ids(), encodeIDs(waiting), chatID)
		if err != nil {
			return nil, err
		}
		events := make([]chat.Event, 0, len(still))
		for _, id := range still {
			if st := streams[id]; st != nil {
				events = append(events, st.personal(now, chat.Event{Op: chat.OpChatLeft, D: chat.ChatLeft{ChatID: chatID, Seq: seq}}))
			}
		}
		if _, err := c.exec(ctx, "DELETE FROM farewells WHERE chat_id = $2 AND user_id IN "+s.d.ids(), encodeIDs(still), chatID); err != nil {
			return nil, fmt.Errorf("delete farewells: %w", err)
		}
		if err := s.insertEvents(ctx, c, s.newID(), events); err != nil {
			return nil, err
		}
		return events, s.saveStreams(ctx, c, streams)
	})
	return done, err
}

// PurgeChat implements chat.DeletionStore: messages first, which leave the search index
// by its outbox, then the log, then what names the chat.
func (s *Store) PurgeChat(ctx context.Context, chatID string, limit int) (done bool, err error) {
	err = s.update(ctx, "purge chat", func(c *conn) ([]chat.Event, error) {
		ids, err := collect(ctx, c, scanString, "SELECT id FROM messages WHERE chat_id = $1 ORDER BY seq LIMIT $2", chatID, limit)
		if err != nil {
			return nil, err
		}
		if len(ids) > 0 {
			return nil, s.purgeMessages(ctx, c, chatID, ids)
		}
		n, err := c.exec(ctx, `DELETE FROM events WHERE stream_id = $1 AND seq IN
			(SELECT seq FROM events WHERE stream_id = $1 ORDER BY seq LIMIT $2)`, chatID, limit)
		if err != nil || n > 0 {
			return nil, err
		}
		for _, statement := range []string{"DELETE FROM hooks WHERE chat_id = $1", "DELETE FROM chats WHERE id = $1", "DELETE FROM streams WHERE id = $1"} {
			if _, err := c.exec(ctx, statement, chatID); err != nil {
				return nil, fmt.Errorf("delete chat: %w", err)
			}
		}
		done = true
		return nil, nil
	})
	return done, err
}

func (s *Store) purgeMessages(ctx context.Context, c *conn, chatID string, ids []string) error {
	set := encodeIDs(ids)
	_, err := c.exec(ctx, `INSERT INTO index_outbox (message_id, version, queued_at)
		SELECT m.id, m.version + 1, `+s.d.now+` FROM messages m WHERE m.id IN `+s.d.ids()+`
		ON CONFLICT (message_id) DO UPDATE SET version = excluded.version, refused = ''`, set)
	if err != nil {
		return fmt.Errorf("queue messages for the index: %w", err)
	}
	now, err := s.clock(ctx, c)
	if err != nil {
		return err
	}
	if err := s.releaseFiles(ctx, c, set, now); err != nil {
		return err
	}
	if _, err := c.exec(ctx, "DELETE FROM reactions WHERE message_id IN "+s.d.ids(), set); err != nil {
		return fmt.Errorf("delete reactions: %w", err)
	}
	_, err = c.exec(ctx, "DELETE FROM mentions WHERE chat_id = $2 AND seq IN (SELECT m.seq FROM messages m WHERE m.id IN "+s.d.ids()+")", set, chatID)
	if err != nil {
		return fmt.Errorf("delete mentions: %w", err)
	}
	if _, err := c.exec(ctx, "DELETE FROM messages WHERE id IN "+s.d.ids(), set); err != nil {
		return fmt.Errorf("delete messages: %w", err)
	}
	return nil
}
