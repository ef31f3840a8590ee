package persistence

import (
	"strings"
)

// dialect is everything in which the statements for SQLite and PostgreSQL differ.
type dialect struct {
	now          string   // expression: the clock, in milliseconds
	history      string   // expression: names this history of the database
	epoch        string   // expression: the name by which clients know it (see epochOf)
	horizon      string   // expression: a chat.Horizon of the snapshot
	tx           []string // column of an insertion: the number of the transaction; nil where that is the default
	count        string   // statement: count the transaction that writes; "" where the server does
	beginRead    string   // a transaction that sees one snapshot
	beginWrite   string
	lock         string // suffix: lock the rows, waiting for them
	skipLocked   string // suffix: lock the rows that are free
	lockUsers    string // statement: lock numbers of a kind in their order; "" where there is one writer
	perRow       bool   // no round trip to a server: rows are written one by one, JSON is read by json_each
	classify     func(error) failure
	committed    func(error) bool // reports whether a failed COMMIT may have committed after all
	dropped      func(error) bool // reports whether the connection is gone, which says nothing about the database
	lockTimedOut func(error) bool
}

// ids returns the set in the first parameter, a JSON array of strings.
func (d dialect) ids() string {
	if d.perRow {
		return "(SELECT value FROM json_each($1))"
	}
	return "(SELECT value FROM json_array_elements_text($1::json))"
}

// recordset returns the table in the first parameter, rows as JSON.
func (d dialect) recordset(columns []column) string {
	parts := make([]string, len(columns))
	if d.perRow {
		for i, c := range columns {
			parts[i] = "value->>'" + c.name + "' AS " + c.name
		}
		return "(SELECT " + strings.Join(parts, ", ") + " FROM json_each($1))"
	}
	for i, c := range columns {
		parts[i] = c.name + " " + c.kind
	}
	return "(SELECT * FROM json_to_recordset($1::json) AS x(" + strings.Join(parts, ", ") + "))"
}
