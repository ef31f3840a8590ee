package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipelinePostgres sends statements without waiting for the answer of each: others wait for
// what their transaction has locked, and a round trip may take longer than a statement. The
// server skips what follows one that failed.
func pipelinePostgres(ctx context.Context, c *sql.Conn, all []statement) error {
	return c.Raw(func(driver any) (err error) {
		var b pgx.Batch
		for _, s := range all {
			b.Queue(s.query, s.args...)
		}
		answers := driver.(*stdlib.Conn).Conn().SendBatch(ctx, &b)
		for _, s := range all {
			if _, err = answers.Exec(); err != nil {
				err = fmt.Errorf("%s: %w", s.what, err)
				break
			}
		}
		if closed := answers.Close(); err == nil {
			err = closed
		}
		return err
	})
}
