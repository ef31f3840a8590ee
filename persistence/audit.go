package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
)

func scanAudit(rows *sql.Rows, e *chat.AuditEntry) error {
	return rows.Scan(&e.ID, &e.At, &e.Actor, &e.Action, &e.Subject, &e.Detail)
}

// Audit implements chat.AdminStore.
func (s *Store) Audit(ctx context.Context, p chat.Page) (entries []chat.AuditEntry, next string, err error) {
	var at int64
	var id string
	paged, err := decodeAfter("audit", p.After, &at, &id)
	if err != nil {
		return nil, "", err
	}
	query, args := "SELECT a.id, a.at, a.actor, a.action, a.subject, a.detail FROM audit_log a", []any{p.Limit + 1}
	if paged {
		query += " WHERE a.at < $2 OR a.at = $2 AND a.id < $3"
		args = append(args, at, id)
	}
	err = s.view(ctx, s.pools.read, "list audit log", func(c *conn) error {
		entries, err = collect(ctx, c, scanAudit, query+" ORDER BY a.at DESC, a.id DESC LIMIT $1", args...)
		return err
	})
	return pageOf("audit", entries, err, p.Limit, func(e chat.AuditEntry) []any { return []any{int64(e.At), e.ID} })
}

// Record implements chat.AdminTx.
func (t *adminTx) Record(ctx context.Context, e chat.AuditEntry) error {
	e.At = t.now
	return record(ctx, t.c, e)
}

// record adds an entry to the audit log, in the transaction that it is about.
func record(ctx context.Context, c *conn, e chat.AuditEntry) error {
	_, err := c.exec(ctx, "INSERT INTO audit_log (id, at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)",
		e.ID, int64(e.At), e.Actor, string(e.Action), e.Subject, e.Detail)
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}
