package persistence

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// copyRows is how many rows a statement of a transfer inserts.
const copyRows = 200

// transfer copies between two open transactions.
type transfer struct {
	source, target *side
	in, out        *conn
	renewed        string // the source's epoch afterwards
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
		return errors.Join(t.moved(ctx), err)
	}
	for _, table := range transferTables() {
		if err := t.table(ctx, table); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	var epoch string
	var horizon int64
	if err := t.in.one(ctx, "SELECT "+t.source.d.epoch+", "+t.source.d.horizon, nil, &epoch, &horizon); err != nil {
		return fmt.Errorf("read epoch: %w", err)
	}
	// The target's transactions follow the source's: its clients hold horizons of both.
	if err := numberAfter(ctx, t.out, t.target.d, horizon); err != nil {
		return err
	}
	if err := carryEpoch(ctx, t.out, t.target.d, epoch); err != nil {
		return err
	}
	return t.mark(ctx)
}

// metaMoved names the row in meta that tells from which state of which database a transfer
// came: from what the source is after it.
const metaMoved = "moved_from"

// mark remembers in the target what has come here.
func (t transfer) mark(ctx context.Context) error {
	state, err := t.state(ctx, t.renewed)
	if err != nil {
		return err
	}
	_, err = t.out.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", metaMoved, state)
	if err != nil {
		return fmt.Errorf("mark target: %w", err)
	}
	return nil
}

// moved returns ErrTransferred if the target has come from this source, as it is now.
func (t transfer) moved(ctx context.Context) error {
	var epoch, was string
	if t.in.one(ctx, "SELECT value FROM meta WHERE name = $1", []any{metaEpoch}, &epoch) != nil ||
		t.out.one(ctx, "SELECT value FROM meta WHERE name = $1", []any{metaMoved}, &was) != nil {
		return nil //nolint:nilerr // the refusal that follows says that the target is not empty
	}
	if state, err := t.state(ctx, epoch); err != nil || state != was {
		return err
	}
	return ErrTransferred
}

// state names the source's history and how far it goes. A node that has been started on it
// leaves at least its canary.
func (t transfer) state(ctx context.Context, epoch string) (string, error) {
	var sum int64
	if err := t.in.one(ctx, "SELECT CAST(COALESCE(sum(last_seq), 0) AS BIGINT) FROM streams", nil, &sum); err != nil {
		return "", fmt.Errorf("read positions: %w", err)
	}
	return fmt.Sprintf("%s %d", epoch, sum), nil
}

// table copies a table and compares what arrived with what was sent.
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
		return fmt.Errorf("what arrived differs from what was sent: %d of %d rows, or their content", arrived.rows, at.Of)
	}
	at.Verified = true
	t.progress(at)
	return nil
}

// columns returns the names of a table's columns, which must be the same on both sides.
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
		return nil, fmt.Errorf("the columns differ: %v and %v", from, to)
	}
	return from, nil
}

// eachRow reads a whole table. fn may keep the values of a row, but not the row.
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

// digest is a fingerprint of rows in any order: their number and the sum of their hashes.
type digest struct {
	rows int64
	sum  [sha256.Size / 8]uint64
}

// add adds a row. It refuses values of types that the schema does not have.
func (d *digest) add(row []any) error {
	var b []byte
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case string:
			b = binary.BigEndian.AppendUint64(append(b, 's'), uint64(len(v)))
			b = append(b, v...)
		default:
			return fmt.Errorf("a value is of type %T, neither text nor a whole number", value)
		}
	}
	hash := sha256.Sum256(b)
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(hash[8*i:])
	}
	d.rows++
	return nil
}
