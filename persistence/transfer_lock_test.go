package persistence_test

import (
	"strings"
	"testing"

	"fechatter/persistence"
)

// TestNobodyWritesDuringATransfer: a node that was cut off when the transfer looked for nodes
// comes back to PostgreSQL meanwhile. Nothing that it writes is acknowledged and left behind.
func TestNobodyWritesDuringATransfer(t *testing.T) {
	first, _, _ := filled(t)
	from := postgresURL(t)
	if err := transfer(t, first, from, nil); err != nil {
		t.Fatal(err)
	}
	node := raw(t, from)
	node.SetMaxOpenConns(1)
	execRaw(t, node, "SET lock_timeout = '50ms'")
	tried := map[string]error{}
	err := transfer(t, from, sqliteURL(t), func(persistence.Transferred) {
		for _, statement := range []string{"UPDATE streams SET last_seq = last_seq + 1", "UPDATE users SET display_name = 'x'"} {
			if _, ok := tried[statement]; !ok {
				_, tried[statement] = node.Exec(statement)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for statement, err := range tried {
		if err == nil || !strings.Contains(err.Error(), "lock timeout") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if len(tried) == 0 {
		t.Error("nothing was tried")
	}
}
