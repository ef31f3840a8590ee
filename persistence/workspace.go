package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"fechatter/chat"
)

// metaWorkspace is the row of meta with what administrators have set.
const metaWorkspace = "workspace"

// setupCodes is how many setup codes work at once: the last ones.
const setupCodes = 16

// Workspace implements chat.WorkspaceStore.
func (s *Store) Workspace(ctx context.Context) (w chat.Workspace, begun bool, err error) {
	err = s.view(ctx, s.pools.read, "read workspace", func(c *conn) error {
		var value, administration string
		err := c.one(ctx, `SELECT COALESCE((SELECT value FROM meta WHERE name = $1), '{}'), COALESCE((SELECT value FROM meta WHERE name = $2), '')`,
			[]any{metaWorkspace, metaAdministration}, &value, &administration)
		if err != nil {
			return err
		}
		begun = administration != ""
		return json.Unmarshal([]byte(value), &w)
	})
	return w, begun, err
}

func readWorkspace(ctx context.Context, c *conn) (w chat.Workspace, err error) {
	var value string
	err = c.one(ctx, "SELECT value FROM meta WHERE name = $1", []any{metaWorkspace}, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.Workspace{}, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(value), &w)
	}
	if err != nil {
		return chat.Workspace{}, fmt.Errorf("read workspace: %w", err)
	}
	return w, nil
}

// Workspace implements chat.AdminTx.
func (t *adminTx) Workspace(ctx context.Context) (chat.Workspace, error) {
	return readWorkspace(ctx, t.c)
}

// SaveWorkspace implements chat.AdminTx.
func (t *adminTx) SaveWorkspace(ctx context.Context, w chat.Workspace) error {
	value, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("encode workspace: %w", err)
	}
	_, err = t.c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", metaWorkspace, string(value))
	if err != nil {
		return fmt.Errorf("save workspace: %w", err)
	}
	return nil
}

// AddSetupCode implements chat.WorkspaceStore. The row of meta is locked, as by the sign-up
// that ends all of these codes.
func (s *Store) AddSetupCode(ctx context.Context, hash []byte) (added bool, err error) {
	err = s.update(ctx, "add setup code", func(c *conn) ([]chat.Event, error) {
		var begun string
		if err := c.one(ctx, "SELECT value FROM meta WHERE name = $1"+s.d.lock, []any{metaAdministration}, &begun); err != nil {
			return nil, fmt.Errorf("look for the first user: %w", err)
		}
		if added = begun == ""; !added {
			return nil, nil
		}
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		_, err = c.exec(ctx, `DELETE FROM codes WHERE purpose = $1 AND hash NOT IN
			(SELECT hash FROM codes WHERE purpose = $1 ORDER BY created_at DESC, hash LIMIT $2)`, string(chat.ForSetup), setupCodes-1)
		if err != nil {
			return nil, fmt.Errorf("forget setup codes: %w", err)
		}
		return nil, s.insertCode(ctx, c, now, chat.LinkCode{Purpose: chat.ForSetup, Hash: hash, ExpiresAt: never})
	})
	return added, err
}

// never is later than any time of a database.
const never = chat.Time(1 << 52)
