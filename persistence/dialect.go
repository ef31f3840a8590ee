package persistence

import "strings"

// dialect is all that differs between SQLite and PostgreSQL in the statements.
type dialect struct {
	now        string // expression: the clock, in milliseconds
	epoch      string // expression: names this history of the database
	beginRead  string // a transaction that sees one snapshot
	beginWrite string
	lock       string // suffix: lock the rows, waiting for them
	skipLocked string // suffix: lock the rows that are free
	recordset  bool   // JSON rows are read by json_to_recordset, else by json_each
	classify   func(error) failure
	committed  func(error) bool // whether a failed COMMIT may have committed after all
}

// rows makes a table out of a parameter that holds a JSON array of objects.
// columns is "name type, …", types as PostgreSQL says them.
func (d dialect) rows(param, columns string) string {
	if d.recordset {
		return "(SELECT * FROM json_to_recordset(" + param + "::json) AS x(" + columns + "))"
	}
	var b strings.Builder
	for column := range strings.SplitSeq(columns, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(column), " ")
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString("value->>'" + name + "' AS " + name)
	}
	return "(SELECT " + b.String() + " FROM json_each(" + param + "))"
}

// ids makes a set out of a parameter that holds a JSON array of strings.
func (d dialect) ids(param string) string {
	if d.recordset {
		return "(SELECT value FROM json_array_elements_text(" + param + "::json))"
	}
	return "(SELECT value FROM json_each(" + param + "))"
}
