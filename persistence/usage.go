package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"fechatter/chat"
)

type usageRow struct {
	UserID string `json:"user_id"`
	Day    int64  `json:"day"`
	Bytes  int64  `json:"bytes"`
}

// Usage implements chat.UsageStore.
func (s *Store) Usage(ctx context.Context, userID string) (u chat.Usage, now chat.Time, err error) {
	u.UserID = userID
	err = s.view(ctx, s.pools.read, "read usage", func(c *conn) error {
		err := c.one(ctx, `SELECT clock.now, COALESCE(u.day, 0), COALESCE(u.bytes, 0)
			FROM (SELECT `+s.d.now+` AS now) AS clock LEFT JOIN usage u ON u.user_id = $1`, []any{userID}, &now, &u.Day, &u.Bytes)
		if today := now.Day(); u.Day < today {
			u.Day, u.Bytes = today, 0
		}
		return err
	})
	return u, now, err
}

// AddUsage implements chat.UsageStore. The rows are locked in the order of their ids,
// since other nodes add to the same ones.
func (s *Store) AddUsage(ctx context.Context, added []chat.Usage) (totals []chat.Usage, err error) {
	rows, ids := make([]usageRow, len(added)), make([]string, len(added))
	for i, u := range added {
		rows[i], ids[i] = usageRow(u), u.UserID
	}
	slices.SortFunc(rows, func(a, b usageRow) int { return strings.Compare(a.UserID, b.UserID) })
	encoded, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("encode usage: %w", err)
	}
	err = s.update(ctx, "add usage", func(c *conn) ([]chat.Event, error) {
		if _, err := c.exec(ctx, s.sql.addUsage, string(encoded)); err != nil {
			return nil, err
		}
		totals, err = collect(ctx, c, func(rows *sql.Rows, u *chat.Usage) error {
			return rows.Scan(&u.UserID, &u.Day, &u.Bytes)
		}, "SELECT user_id, day, bytes FROM usage WHERE user_id IN "+s.d.ids(), encodeIDs(ids))
		return nil, err
	})
	return totals, err
}
