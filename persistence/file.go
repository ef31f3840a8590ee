package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"fechatter/chat"
)

// States of a file.
const (
	fileStored = 1
	fileDoomed = 2
)

const fileColumns = "f.id, f.name, f.media_type, f.size, f.sha256, f.width, f.height, f.duration_ms, f.thumb, f.created_at, f.uploaded_by"

type messageFileRow struct {
	FileID    string `json:"file_id"`
	ChatID    string `json:"chat_id"`
	MessageID string `json:"message_id"`
	Seq       int64  `json:"seq"`
	Kind      string `json:"kind"`
}

func fileTargets(f *chat.File) []any {
	return []any{&f.ID, &f.Name, &f.MediaType, &f.Size, &f.SHA256, &f.Width, &f.Height, &f.DurationMS, &f.Thumb, &f.CreatedAt, &f.UploadedBy}
}

func scanFile(rows *sql.Rows, f *chat.File) error { return rows.Scan(fileTargets(f)...) }

// encodeFiles is the column of a message's files, "" for none.
func encodeFiles(all []chat.File) string {
	if len(all) == 0 {
		return ""
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // it has texts and numbers only
	}
	return string(b)
}

func decodeFiles(column string) (all []chat.File, err error) {
	if column == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(column), &all); err != nil {
		return nil, fmt.Errorf("read attachments: %w", err)
	}
	return all, nil
}

// MarkFiles implements files.Marks.
func (s *Store) MarkFiles(ctx context.Context, mark string) (kept string, err error) {
	err = s.update(ctx, "mark files", func(c *conn) ([]chat.Event, error) {
		if _, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", metaFiles, mark); err != nil {
			return nil, fmt.Errorf("keep mark: %w", err)
		}
		return nil, c.one(ctx, "SELECT value FROM meta WHERE name = $1", []any{metaFiles}, &kept)
	})
	return kept, err
}

// BeginFile implements chat.FileStore. Uploads of one user come one at a time, so that the sum
// holds.
func (s *Store) BeginFile(ctx context.Context, f chat.File, lasts time.Duration, most int64) (at chat.Time, err error) {
	err = s.update(ctx, "begin file", func(c *conn) ([]chat.Event, error) {
		var id string
		if err := c.one(ctx, "SELECT id FROM users WHERE id = $1"+s.d.lock, []any{f.UploadedBy}, &id); err != nil {
			return nil, fmt.Errorf("lock uploader: %w", err)
		}
		var have int64
		err := c.one(ctx, "SELECT COALESCE(sum(size), 0) FROM files WHERE uploaded_by = $1 AND state < $2", []any{f.UploadedBy, fileDoomed}, &have)
		if err != nil {
			return nil, fmt.Errorf("sum up files: %w", err)
		}
		if err := chat.AdmitFile(have, f.Size, most); err != nil {
			return nil, err
		}
		if at, err = s.clock(ctx, c); err != nil {
			return nil, err
		}
		_, err = c.exec(ctx, `INSERT INTO files (id, name, media_type, size, sha256, width, height, duration_ms, thumb, created_at, uploaded_by, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			f.ID, f.Name, f.MediaType, f.Size, f.SHA256, f.Width, f.Height, f.DurationMS, flag(f.Thumb), int64(at), f.UploadedBy, int64(at.Add(lasts)))
		if err != nil {
			return nil, fmt.Errorf("insert file: %w", err)
		}
		return nil, nil
	})
	return at, err
}

// FinishFile implements chat.FileStore.
func (s *Store) FinishFile(ctx context.Context, id string) error {
	return s.update(ctx, "finish file", func(c *conn) ([]chat.Event, error) {
		n, err := c.exec(ctx, "UPDATE files SET state = $2 WHERE id = $1 AND state = 0", id, fileStored)
		return nil, oneRow(n, err, chat.NoFile())
	})
}

// seesFile is a condition on f: files that user $1 may see.
const seesFile = `f.state = 1 AND (f.uploaded_by = $1 OR EXISTS (SELECT 1 FROM message_files mf
	JOIN chat_members cm ON cm.chat_id = mf.chat_id AND cm.user_id = $1 WHERE mf.file_id = f.id))`

// File implements chat.FileStore.
func (s *Store) File(ctx context.Context, userID, id string) (f chat.File, err error) {
	err = s.view(ctx, s.pools.read, "read file", func(c *conn) error {
		err := c.one(ctx, "SELECT "+fileColumns+" FROM files f WHERE f.id = $2 AND "+seesFile, []any{userID, id}, fileTargets(&f)...)
		return orNotFound(err, chat.NoFile())
	})
	return f, err
}

// HoldFiles implements chat.FileStore. The update comes first: a file that it keeps is not doomed
// any more, whatever was about to be decided elsewhere.
func (s *Store) HoldFiles(ctx context.Context, userID string, ids []string, lasts time.Duration) (all []chat.File, err error) {
	err = s.update(ctx, "hold files", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		until := int64(now.Add(lasts))
		all = make([]chat.File, len(ids))
		for i, id := range ids {
			n, err := c.exec(ctx, `UPDATE files SET held_until = CASE WHEN held_until < $2 THEN $2 ELSE held_until END
				WHERE id = $1 AND state = $3`, id, until, fileStored)
			if err := oneRow(n, err, chat.NoFile()); err != nil {
				return nil, err
			}
			err = c.one(ctx, "SELECT "+fileColumns+" FROM files f WHERE f.id = $2 AND "+seesFile, []any{userID, id}, fileTargets(&all[i])...)
			if err := orNotFound(err, chat.NoFile()); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	return all, err
}

// releaseFiles takes the files of messages away, given as a list of ids. Those that no other
// message has are over.
func (s *Store) releaseFiles(ctx context.Context, c *conn, messages string, now chat.Time) error {
	_, err := c.exec(ctx, `UPDATE files SET expires_at = $2 WHERE id IN
		(SELECT mf.file_id FROM message_files mf WHERE mf.message_id IN `+s.d.ids()+`)`, messages, int64(now))
	if err != nil {
		return fmt.Errorf("release files: %w", err)
	}
	if _, err := c.exec(ctx, "DELETE FROM message_files WHERE message_id IN "+s.d.ids(), messages); err != nil {
		return fmt.Errorf("delete files of messages: %w", err)
	}
	return nil
}

// ChatFiles implements chat.FileStore.
func (s *Store) ChatFiles(ctx context.Context, userID, chatID string, q chat.FileQuery) (all []chat.ChatFile, more bool, err error) {
	err = s.snapshot(ctx, s.pools.read, "list files of chat", func(c *conn) error {
		var id string
		if err := c.one(ctx, "SELECT chat_id FROM chat_members WHERE user_id = $1 AND chat_id = $2", []any{userID, chatID}, &id); err != nil {
			return orNotFound(err, noChat())
		}
		all, more, err = chatFiles(ctx, c, chatID, q)
		return err
	})
	return all, more, err
}

// mostAttachments bounds the files of a message, whatever the setting was when it was sent.
const mostAttachments = 100

// chatFiles reads a page, which ends with the last file of a message: the next one begins before
// that message.
func chatFiles(ctx context.Context, c *conn, chatID string, q chat.FileQuery) (all []chat.ChatFile, more bool, err error) {
	all, err = collect(ctx, c, func(rows *sql.Rows, f *chat.ChatFile) error {
		return rows.Scan(append(fileTargets(&f.File), &f.MessageID, &f.Seq)...)
	}, "SELECT "+fileColumns+`, mf.message_id, mf.seq FROM message_files mf JOIN files f ON f.id = mf.file_id
		WHERE mf.chat_id = $1 AND ($2 = 0 OR mf.seq < $2) AND ($3 = '' OR mf.kind = $3)
		ORDER BY mf.seq DESC, f.id LIMIT $4`, chatID, q.Before, q.Kind, q.Limit+mostAttachments)
	end := q.Limit
	for end < len(all) && all[end].Seq == all[end-1].Seq {
		end++
	}
	if end >= len(all) {
		return all, false, err
	}
	return all[:end], true, err
}

// DoomFiles implements chat.FileStore. It looks for files without a lock, and asks again under it:
// a message may have got one meanwhile.
func (s *Store) DoomFiles(ctx context.Context, limit int) (ids []string, err error) {
	const unused = "NOT EXISTS (SELECT 1 FROM message_files mf WHERE mf.file_id = files.id)"
	err = s.view(ctx, s.pools.read, "look for unused files", func(c *conn) error {
		ids, err = collect(ctx, c, scanString, "SELECT id FROM files WHERE expires_at <= "+s.d.now+" AND (state = $1 OR held_until <= "+s.d.now+" AND "+unused+`)
			ORDER BY expires_at LIMIT $2`, fileDoomed, limit)
		return err
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found := encodeIDs(ids)
	err = s.update(ctx, "doom files", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		_, err = c.exec(ctx, "UPDATE files SET state = $3 WHERE id IN "+s.d.ids()+" AND state < $3 AND expires_at <= $2 AND held_until <= $2 AND "+unused, found, int64(now), fileDoomed)
		if err != nil {
			return nil, fmt.Errorf("doom files: %w", err)
		}
		ids, err = collect(ctx, c, scanString, "SELECT id FROM files WHERE id IN "+s.d.ids()+" AND state = $2", found, fileDoomed)
		return nil, err
	})
	return ids, err
}

// DropFile implements chat.FileStore.
func (s *Store) DropFile(ctx context.Context, id string) error {
	return s.update(ctx, "drop file", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "DELETE FROM files WHERE id = $1 AND state <> $2", id, fileStored)
		return nil, err
	})
}
