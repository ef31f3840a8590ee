package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
	"fechatter/fold"
	"fechatter/lookalike"
)

// refoldRows is how many rows a transaction of refold reads.
const refoldRows = 1000

// linesVersion is that of chat.CleanLine, and of what refold does besides folding.
const linesVersion = 1

// foldable is a row of users or chats: its id and its texts.
type foldable struct{ id, first, second, third string }

// refold brings stored names to the rules of this release, once after those changed: it cleans
// them, and derives the columns in which names are searched for and compared. A name that changes
// meanwhile is left to whoever changes it. Users that a node of an earlier release has made are
// treated at each start.
func (s *Store) refold(ctx context.Context) error {
	version := fmt.Sprintf("%d.%d.%d", fold.Version, lookalike.Version, linesVersion)
	var done string
	err := s.view(ctx, s.pools.write, "read version of folding", func(c *conn) error {
		return c.one(ctx, "SELECT COALESCE((SELECT value FROM meta WHERE name = $1), '')", []any{metaFold}, &done)
	})
	if err != nil {
		return err
	}
	const users = "SELECT id, username, display_name, status_text FROM users WHERE id > $1 "
	if done == version {
		return s.refoldEach(ctx, users+"AND username_look = ''", refoldUser)
	}
	err = s.refoldEach(ctx, users, refoldUser)
	if err == nil {
		err = s.refoldChats(ctx)
	}
	if err == nil {
		err = s.mergeSpellings(ctx)
	}
	if err != nil {
		return err
	}
	return s.update(ctx, "note version of folding", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", metaFold, version)
		return nil, err
	})
}

func refoldUser(ctx context.Context, c *conn, r foldable) error {
	name := chat.CleanLine(r.second)
	if name == "" {
		name = r.first
	}
	d := derive(r.first, name)
	_, err := c.exec(ctx, `UPDATE users SET display_name = $3, status_text = CASE WHEN status_text = $4 THEN $5 ELSE status_text END,
			search = $6, name_folded = $7, username_look = $8, name_look = $9 WHERE id = $1 AND display_name = $2`,
		r.id, r.second, name, r.third, chat.CleanLine(r.third), d.search, d.folded, d.usernameLook, d.nameLook)
	return err
}

func (s *Store) refoldChats(ctx context.Context) error {
	var unclean []string
	err := s.refoldEach(ctx, "SELECT id, name, topic, '' FROM chats WHERE id > $1 ", func(ctx context.Context, c *conn, r foldable) error {
		if chat.CleanLine(r.first) != r.first || chat.CleanLine(r.second) != r.second {
			unclean = append(unclean, r.id)
		}
		_, err := c.exec(ctx, "UPDATE chats SET search = $3 WHERE id = $1 AND name = $2", r.id, r.first, fold.Text(r.first))
		return err
	})
	for _, id := range unclean {
		if err == nil {
			err = s.cleanChat(ctx, id)
		}
	}
	return err
}

// cleanChat cleans what a chat is called. Its stream tells it, as it tells every change, by an
// event of nobody; members read it there, for no connection exists yet.
func (s *Store) cleanChat(ctx context.Context, id string) error {
	return s.update(ctx, "clean name of a chat", func(c *conn) ([]chat.Event, error) {
		t := &changeTx{s: s, c: c, change: chat.Change{OpID: s.newID(), ChatID: id}, log: &changeLog{}}
		if err := t.lock(ctx); err != nil {
			return nil, err
		}
		named, err := t.Chat(ctx)
		if err != nil {
			return nil, err
		}
		clean := named
		clean.Name, clean.Topic = chat.CleanLine(named.Name), chat.CleanLine(named.Topic)
		if clean.Name == "" && named.Kind != chat.Group && named.Kind != chat.Direct {
			clean.Name = string(named.Kind)
		}
		if clean.Name == named.Name && clean.Topic == named.Topic {
			return nil, nil
		}
		if err := t.SaveChat(ctx, clean); err != nil {
			return nil, err
		}
		if _, err := t.Append(ctx, chat.Event{Op: chat.OpChatUpdated, D: clean}); err != nil {
			return nil, err
		}
		return nil, t.flush(ctx)
	})
}

// refoldEach calls change with every row that query selects, in transactions of many. The query
// ends in its condition.
func (s *Store) refoldEach(ctx context.Context, query string, change func(context.Context, *conn, foldable) error) error {
	for after := ""; ; {
		// Apart from the changes: with nothing to change, a start writes nothing, which an unsound
		// disk would refuse.
		var rows []foldable
		err := s.view(ctx, s.pools.write, "read names to fold", func(c *conn) (err error) {
			rows, err = collect(ctx, c, func(rows *sql.Rows, r *foldable) error { return rows.Scan(&r.id, &r.first, &r.second, &r.third) },
				query+" ORDER BY id LIMIT $2", after, refoldRows)
			return err
		})
		if err == nil && len(rows) > 0 {
			err = s.update(ctx, "fold names", func(c *conn) (_ []chat.Event, err error) {
				for _, r := range rows {
					if err == nil {
						err = change(ctx, c, r)
					}
				}
				return nil, err
			})
		}
		if err != nil {
			return fmt.Errorf("fold names: %w", err)
		}
		if len(rows) < refoldRows {
			return nil
		}
		after = rows[len(rows)-1].id
	}
}
