package load

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fechatter/e2e/check"
)

// Query runs one statement in the database and returns its rows.
type Query func(ctx context.Context, statement string) ([]string, error)

// rows reads rows that are JSON documents.
func rows[T any](ctx context.Context, query Query, statement string) ([]T, error) {
	lines, err := query(ctx, statement)
	if err != nil {
		return nil, err
	}
	list := make([]T, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &list[i]); err != nil {
			return nil, fmt.Errorf("read row %s: %w", line, err)
		}
	}
	return list, nil
}

type chatRow struct {
	ID      string
	LastSeq int64 `json:"last_seq"`
	Members []string
}

// chatRows are the chats of the load as they are now.
func (l *Load) chatRows(ctx context.Context, query Query) (map[string]chatRow, error) {
	all, err := rows[chatRow](ctx, query, `SELECT json_build_object('id', s.id, 'last_seq', s.last_seq, 'members',
		(SELECT coalesce(json_agg(m.user_id), '[]') FROM chat_members m WHERE m.chat_id = s.id))
		FROM streams s JOIN chats c ON c.id = s.id`)
	if err != nil {
		return nil, err
	}
	byID := map[string]chatRow{}
	for _, c := range all {
		byID[c.ID] = c
	}
	ours := map[string]chatRow{}
	for _, g := range l.chats {
		ours[g.id] = byID[g.id]
	}
	return ours, nil
}

// CatchUp waits until every device is live and has reached the end of every chat of
// its person. Nobody may be at work. The error says who is not there yet.
func (l *Load) CatchUp(ctx context.Context, query Query, patience time.Duration) error {
	chats, err := l.chatRows(ctx, query)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(patience)
	for {
		missing := l.behind(chats)
		if missing == "" {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("not at rest after %s: %s", patience, missing)
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// behind names a device that is not where it should be, if there is one.
func (l *Load) behind(chats map[string]chatRow) string {
	for _, d := range l.devices {
		live, cursors := d.stand()
		if !live {
			return d.label + " is not connected"
		}
		mine := 0
		for _, c := range chats {
			for _, user := range c.Members {
				if user != d.id {
					continue
				}
				mine++
				if at, ok := cursors[c.ID]; !ok || at != c.LastSeq {
					return fmt.Sprintf("%s is at %d of %d of %s", d.label, at, c.LastSeq, c.ID)
				}
			}
		}
		if mine != len(cursors) {
			return fmt.Sprintf("%s follows %d chats, and is in %d", d.label, len(cursors), mine)
		}
	}
	return ""
}

// Truth reads the chats of the load from the database and from the API.
func (l *Load) Truth(ctx context.Context, query Query) ([]check.Chat, error) {
	found, err := l.chatRows(ctx, query)
	if err != nil {
		return nil, err
	}
	var chats []check.Chat
	for _, g := range l.chats {
		c := check.Chat{ID: g.id, LastSeq: found[g.id].LastSeq, Members: found[g.id].Members}
		if c.Events, err = l.storedEvents(ctx, query, g.id); err != nil {
			return nil, err
		}
		if c.Messages, err = l.storedMessages(ctx, query, g.id); err != nil {
			return nil, err
		}
		if c.Log, err = l.log(ctx, g); err != nil {
			return nil, err
		}
		if c.History, err = l.history(ctx, g); err != nil {
			return nil, err
		}
		c.Standing = map[string]check.Standing{}
		chats = append(chats, c)
	}
	return chats, l.standings(ctx, chats)
}

// standings reads everyone's list of chats.
func (l *Load) standings(ctx context.Context, chats []check.Chat) error {
	for _, p := range l.people {
		var page struct {
			Chats []struct {
				ID           string
				LastSeq      int64 `json:"last_seq"`
				ReadSeq      int64 `json:"read_seq"`
				DeliveredSeq int64 `json:"delivered_seq"`
				Unread       int64
			}
		}
		if err := p.get(ctx, l.cfg.URLs, "/chats?limit=200", &page); err != nil {
			return err
		}
		for _, e := range page.Chats {
			for _, c := range chats {
				if c.ID == e.ID {
					c.Standing[p.id] = check.Standing{LastSeq: e.LastSeq, ReadSeq: e.ReadSeq, DeliveredSeq: e.DeliveredSeq, Unread: e.Unread}
				}
			}
		}
	}
	return nil
}

func (l *Load) storedEvents(ctx context.Context, query Query, chat string) ([]check.Event, error) {
	return rows[check.Event](ctx, query, `SELECT json_build_object('Op', op, 'ChatID', stream_id, 'Seq', seq, 'TS', ts,
		'ActorID', actor_id, 'UserID', coalesce(d::json->>'user_id', ''), 'MessageID', message_id, 'MessageSeq', message_seq,
		'Emoji', coalesce(d::json->>'emoji', '')) FROM events WHERE stream_id = '`+chat+`' ORDER BY seq`)
}

func (l *Load) storedMessages(ctx context.Context, query Query, chat string) ([]check.Message, error) {
	return rows[check.Message](ctx, query, `SELECT json_build_object('ID', id, 'SenderID', sender_id, 'Body', body, 'Key', key,
		'Seq', seq, 'TS', created_at, 'Version', version, 'Deleted', deleted_at IS NOT NULL)
		FROM messages WHERE chat_id = '`+chat+`' ORDER BY seq`)
}

// log reads the events API from the first event on.
func (l *Load) log(ctx context.Context, g *group) (events []check.Event, err error) {
	for {
		var page struct{ Events []json.RawMessage }
		path := fmt.Sprintf("/chats/%s/events?limit=200&after_seq=%d", g.id, len(events))
		if err := g.owner.get(ctx, l.cfg.URLs, path, &page); err != nil {
			return nil, err
		}
		if len(page.Events) == 0 {
			return events, nil
		}
		for _, raw := range page.Events {
			e, err := check.ParseEvent(raw)
			if err != nil {
				return nil, err
			}
			events = append(events, e)
		}
	}
}

// history reads the history API from the first message on.
func (l *Load) history(ctx context.Context, g *group) (messages []check.Message, err error) {
	for after := int64(0); ; {
		var page struct {
			Messages []struct {
				ID        string
				SenderID  string `json:"sender_id"`
				Body      string
				Seq       int64
				Version   int64
				CreatedAt time.Time  `json:"created_at"`
				DeletedAt *time.Time `json:"deleted_at"`
				Reactions []struct {
					Emoji string
					Count int
				}
			}
			HasMore bool `json:"has_more"`
		}
		if err := g.owner.get(ctx, l.cfg.URLs, fmt.Sprintf("/chats/%s/messages?limit=200&after_seq=%d", g.id, after), &page); err != nil {
			return nil, err
		}
		for _, m := range page.Messages {
			shown := check.Message{ID: m.ID, SenderID: m.SenderID, Body: m.Body, Seq: m.Seq, TS: m.CreatedAt.UnixMilli(),
				Version: m.Version, Deleted: m.DeletedAt != nil, Reactions: map[string]int{}}
			for _, r := range m.Reactions {
				shown.Reactions[r.Emoji] = r.Count
			}
			messages, after = append(messages, shown), m.Seq
		}
		if !page.HasMore {
			return messages, nil
		}
	}
}
