package persistence

// dialect is all that differs between SQLite and PostgreSQL in the statements.
type dialect struct {
	now        string // expression: the clock, in milliseconds
	history    string // expression: names this history of the database
	epoch      string // expression: what clients call it (see epochOf)
	beginRead  string // a transaction that sees one snapshot
	beginWrite string
	lock       string // suffix: lock the rows, waiting for them
	skipLocked string // suffix: lock the rows that are free
	perRow     bool   // no journey to the server: rows are written one by one, JSON is read by json_each
	classify   func(error) failure
	committed  func(error) bool // whether a failed COMMIT may have committed after all
	dropped    func(error) bool // whether the connection is gone, which says nothing of the database
}

// ids makes a set out of the first parameter, which holds a JSON array of strings.
func (d dialect) ids() string {
	if d.perRow {
		return "(SELECT value FROM json_each($1))"
	}
	return "(SELECT value FROM json_array_elements_text($1::json))"
}
