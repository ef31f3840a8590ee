package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	tableMeta, tableStreams, tableLeases = "meta", "streams", "leases"
	tableIndexLog, tableCertificates     = "index_log", "certificates"
)

// transferTables returns all tables, those that others refer to first.
func transferTables() []string {
	return []string{tableMeta, tableStreams, "users", "sessions", "chats", "chat_members", "messages", "mentions", "reactions",
		"events", "index_outbox", "audit_log", "usage", "blocks", "farewells", "jobs", "codes", "letters", "invitations",
		"totp", "recovery_codes", "challenges", "spent", "passkeys", "identities", "bot_keys", "externals", "hooks", "files", "message_files", tableCertificates, tableLeases, tableIndexLog}
}

// nodesTables returns those that have rows before anybody has signed up.
func nodesTables() []string {
	return []string{tableMeta, tableStreams, tableLeases, tableIndexLog, tableCertificates}
}

// tablesOf lists the tables that a database has.
func tablesOf(ctx context.Context, c *conn, d dialect) ([]string, error) {
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
	if d.perRow {
		query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	}
	names, err := collect(ctx, c, scanString, query)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "goose_db_version" }), nil
}

// sameTables refuses a database whose tables a transfer does not know.
func sameTables(ctx context.Context, c *conn, d dialect) error {
	got, err := tablesOf(ctx, c, d)
	if err != nil {
		return err
	}
	want := transferTables()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the database has the tables %s; a transfer knows %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	return nil
}

// columnNames returns a table's columns in the order of the database.
func columnNames(ctx context.Context, c *conn, table string) ([]string, error) {
	rows, err := c.query(ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	return names, errors.Join(err, rows.Err())
}

// emptyTables refuses a target that holds anybody's data, and deletes what a node
// without users leaves behind: its epoch and secret, its canary, its lease and its certificate.
func emptyTables(ctx context.Context, c *conn) error {
	for _, table := range transferTables() {
		if slices.Contains(nodesTables(), table) {
			continue
		}
		var one int
		err := c.one(ctx, "SELECT 1 FROM "+table+" LIMIT 1", nil, &one)
		if err == nil {
			return fmt.Errorf("the target is not empty: it has rows in %s", table)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("look at %s: %w", table, err)
		}
	}
	for _, table := range nodesTables() {
		if _, err := c.exec(ctx, "DELETE FROM "+table); err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return nil
}

// insertion returns the statement that inserts the given number of rows.
func insertion(table string, columns []string, rows int) string {
	groups, group := make([]string, rows), make([]string, len(columns))
	for i := range groups {
		for j := range group {
			group[j] = "$" + strconv.Itoa(i*len(columns)+j+1)
		}
		groups[i] = "(" + strings.Join(group, ", ") + ")"
	}
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Join(groups, ", ")
}
