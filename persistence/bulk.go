package persistence

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// manyRows is how many rows a statement over several takes on SQLite.
const manyRows = 16

// bulk is a statement over many rows. PostgreSQL runs it once and takes the rows as
// JSON, since a round trip costs more than parsing. SQLite runs it prepared, for
// sixteen rows at a time and then for each row, since there parsing costs more
// than a call.
type bulk struct {
	query  string
	many   string // on SQLite, the same for manyRows rows; "" if there is no such statement
	perRow bool
	fields []int // what the parameters of a row stand for
}

// column is a field of a row: the name in its json tag and its type in SQL.
type column struct{ name, kind string }

func columnsOf[R any]() []column {
	t := reflect.TypeFor[R]()
	columns := make([]column, t.NumField())
	for i := range columns {
		kind := "bigint"
		if t.Field(i).Type.Kind() == reflect.String {
			kind = "text"
		}
		columns[i] = column{t.Field(i).Tag.Get("json"), kind}
	}
	return columns
}

// insert returns an insertion of rows R. columns are "column=value", where value
// is the name of a field of R or a literal, or just "field".
func insert[R any](d dialect, table string, columns ...string) bulk {
	f := &fieldsOf{d: d, columns: columnsOf[R]()}
	names, values := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		name, value, given := strings.Cut(c, "=")
		if !given {
			value = name
		}
		names[i], values[i] = name, f.field(value)
	}
	query := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")"
	if d.perRow {
		row := "(" + strings.Join(values, ", ") + ")"
		return bulk{query + " VALUES " + row, query + " VALUES " + repeat(row, manyRows), true, f.used}
	}
	return bulk{query: query + " SELECT " + strings.Join(values, ", ") + " FROM " + d.recordset(f.columns) + " AS r"}
}

// update returns a change of the rows of a table whose key columns equal the
// fields of the same names in rows R. columns are like those of insert.
func update[R any](d dialect, table string, key []string, columns ...string) bulk {
	f := &fieldsOf{d: d, columns: columnsOf[R]()}
	sets, tests := make([]string, len(columns)), make([]string, len(key))
	for i, c := range columns {
		name, value, given := strings.Cut(c, "=")
		if !given {
			value = name
		}
		sets[i] = name + " = " + f.field(value)
	}
	for i, name := range key {
		tests[i] = table + "." + name + " = " + f.field(name)
	}
	query := "UPDATE " + table + " SET " + strings.Join(sets, ", ")
	if !d.perRow {
		query += " FROM " + d.recordset(f.columns) + " AS r"
	}
	return bulk{query: query + " WHERE " + strings.Join(tests, " AND "), perRow: d.perRow, fields: f.used}
}

// deleteUpTo returns a deletion of the rows of a table whose key column equals the
// field of that name in rows R, and whose version is no later than theirs.
func deleteUpTo[R any](d dialect, table, key, version string) bulk {
	f := &fieldsOf{d: d, columns: columnsOf[R]()}
	query := "DELETE FROM " + table
	if !d.perRow {
		query += " USING " + d.recordset(f.columns) + " AS r"
	}
	query += " WHERE " + table + "." + key + " = " + f.field(key) +
		" AND " + table + "." + version + " <= " + f.field(version)
	return bulk{query: query, perRow: d.perRow, fields: f.used}
}

// selection returns a query over rows R: query is passed the table that holds them.
func selection[R any](d dialect, query func(rows string) string) bulk {
	columns := columnsOf[R]()
	if !d.perRow {
		return bulk{query: query(d.recordset(columns))}
	}
	names, fields := make([]string, len(columns)), make([]int, len(columns))
	for i, c := range columns {
		names[i], fields[i] = fmt.Sprintf("column%d AS %s", i+1, c.name), i
	}
	table := func(rows int) string {
		row := "(" + repeat("?", len(columns)) + ")"
		return "(SELECT " + strings.Join(names, ", ") + " FROM (VALUES " + repeat(row, rows) + "))"
	}
	return bulk{query(table(1)), query(table(manyRows)), true, fields}
}

func repeat(s string, n int) string { return strings.Repeat(s+", ", n-1) + s }

// fieldsOf collects the fields of a row in the order in which a statement uses them.
type fieldsOf struct {
	d       dialect
	columns []column
	used    []int
}

// field returns a value as the statement writes it: a field of the row, or a literal.
func (f *fieldsOf) field(value string) string {
	i := slices.IndexFunc(f.columns, func(c column) bool { return c.name == value })
	if i < 0 {
		return value
	}
	if !f.d.perRow {
		return "r." + value
	}
	f.used = append(f.used, i)
	return "?"
}

// execRows runs a statement over rows, if there are any.
func execRows[R any](ctx context.Context, c *conn, what string, b bulk, rows []R) error {
	all, err := overRows(nil, what, b, rows)
	if err != nil {
		return err
	}
	return c.execAll(ctx, all)
}

// overRows appends a statement over rows to others, if there are any rows.
func overRows[R any](all []statement, what string, b bulk, rows []R) ([]statement, error) {
	err := eachPart(b, rows, func(query string, args []any) error {
		all = append(all, statement{what, query, args})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return all, nil
}

// eachPart calls run with the statement for each part of the rows.
func eachPart[R any](b bulk, rows []R, run func(query string, args []any) error) error {
	if len(rows) > 0 && !b.perRow {
		encoded, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		return run(b.query, []any{string(encoded)})
	}
	for len(rows) > 0 {
		query, n := b.query, 1
		if b.many != "" && len(rows) >= manyRows {
			query, n = b.many, manyRows
		}
		if err := run(query, arguments(b, rows[:n])); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func arguments[R any](b bulk, rows []R) []any {
	args := make([]any, 0, len(rows)*len(b.fields))
	for i := range rows {
		v := reflect.ValueOf(&rows[i]).Elem()
		for _, field := range b.fields {
			args = append(args, v.Field(field).Interface())
		}
	}
	return args
}
