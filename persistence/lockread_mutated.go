//go:build mutate_lock_read

package persistence

import "context"

// lockThenRead waits for the locks within the statement that reads.
func (g *group) lockThenRead(ctx context.Context, c *conn, suffix string) error {
	query := g.s.sql.facts
	if suffix != "" {
		chats := "(SELECT x.chat_id FROM " + g.s.d.recordset(columnsOf[sendRow]()) + " AS x)"
		query.query = "WITH held AS MATERIALIZED (SELECT id FROM streams WHERE id IN " + chats + " ORDER BY id" + suffix + ") " +
			query.query + " WHERE (SELECT count(*) FROM held) >= 0"
	}
	if err := g.read(ctx, c, query); err != nil {
		return err
	}
	return g.lock(ctx, c, suffix)
}
