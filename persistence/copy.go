package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// copyRows is how many rows one statement of a transfer inserts.
const copyRows = 200

// transfer copies between two open transactions.
type transfer struct {
	source, target *side
	in, out        *conn
	progress       func(Transferred)
}

func (t transfer) run(ctx context.Context) error {
	if err := sameTables(ctx, t.in, t.source.d); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if err := sameTables(ctx, t.out, t.target.d); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if err := emptyTables(ctx, t.out); err != nil {
		return err
	}
	for _, table := range transferTables() {
		if err := t.table(ctx, table); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	var told string
	if err := t.in.one(ctx, "SELECT "+t.source.d.epoch, nil, &told); err != nil {
		return fmt.Errorf("read epoch: %w", err)
	}
	return carryEpoch(ctx, t.out, t.target.d, told)
}

// table copies one table and compares what arrived with what was read.
func (t transfer) table(ctx context.Context, name string) error {
	columns, err := t.columns(ctx, name)
	if err != nil {
		return err
	}
	at := Transferred{Table: name}
	if err := t.in.one(ctx, "SELECT count(*) FROM "+name, nil, &at.Of); err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	var sent, arrived digest
	batch := make([]any, 0, copyRows*len(columns))
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		rows := len(batch) / len(columns)
		if _, err := t.out.exec(ctx, insertion(name, columns, rows), batch...); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		at.Rows, batch = at.Rows+int64(rows), batch[:0]
		t.progress(at)
		return nil
	}
	err = eachRow(ctx, t.in, name, columns, func(row []any) error {
		if err := sent.add(row); err != nil {
			return err
		}
		if batch = append(batch, row...); len(batch) == cap(batch) {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err == nil {
		err = eachRow(ctx, t.out, name, columns, func(row []any) error { return arrived.add(row) })
	}
	if err != nil {
		return err
	}
	if sent != arrived || sent.rows != at.Of {
		return fmt.Errorf("what arrived is not what was sent: %d rows of %d, or their contents", arrived.rows, at.Of)
	}
	at.Verified = true
	t.progress(at)
	return nil
}

// columns gives the names of a table's columns, which must be the same on either side.
func (t transfer) columns(ctx context.Context, table string) ([]string, error) {
	from, err := columnNames(ctx, t.in, table)
	if err != nil {
		return nil, err
	}
	to, err := columnNames(ctx, t.out, table)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(slices.Sorted(slices.Values(from)), slices.Sorted(slices.Values(to))) {
		return nil, fmt.Errorf("the columns are %v and %v", from, to)
	}
	return from, nil
}

// eachRow reads a whole table. The row is fn's only until it returns, its values
// may be kept.
func eachRow(ctx context.Context, c *conn, table string, columns []string, fn func(row []any) error) error {
	rows, err := c.query(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	defer rows.Close()
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := scanRow(rows, into, fn, row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

func scanRow(rows *sql.Rows, into []any, fn func([]any) error, row []any) error {
	if err := rows.Scan(into...); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return fn(row)
}
