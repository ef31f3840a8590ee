package persistence_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// statement is a statement run by the store, with its parameters.
type statement struct {
	query string
	args  []any
}

// statements collects the statements that a store runs.
type statements struct {
	mu   sync.Mutex
	seen []statement
}

func (s *statements) trace(query string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, statement{query, args})
}

// next returns the distinct statements since the last call.
func (s *statements) next() (found []statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]bool{}
	for _, one := range s.seen {
		word, _, _ := strings.Cut(strings.TrimSpace(one.query), " ")
		if !known[one.query] && word != "BEGIN" && word != "COMMIT" && word != "ROLLBACK" {
			known[one.query] = true
			found = append(found, one)
		}
	}
	s.seen = nil
	return found
}

// judgePlans runs every call and judges the statements that it runs.
func judgePlans(t *testing.T, store *persistence.Store, seen *statements, p place, judge func(t *testing.T, s statement)) {
	for name, call := range frequent(store, p) {
		t.Run(name, func(t *testing.T) {
			seen.next()
			if err := call(t.Context()); err != nil {
				t.Fatal(err)
			}
			found := seen.next()
			if len(found) == 0 {
				t.Error("it did not ask the database anything")
			}
			for _, s := range found {
				judge(t, s)
			}
		})
	}
}

// TestPlansSQLite: no frequent statement reads a whole table.
func TestPlansSQLite(t *testing.T) {
	seen := &statements{}
	databaseURL := sqliteURL(t)
	store := start(t, persistence.Config{URL: databaseURL}.WithTrace(seen.trace), nobody{})
	rooms, people := persistencetest.Populate(t, store, 2, 3)
	sent := <-sendLater(store, message(rooms[0], people[0][0], "k0"))
	if sent.err != nil {
		t.Fatal(sent.err)
	}
	db := raw(t, databaseURL)
	p := place{people[0][0].ID, people[0][1].ID, rooms[0].ID, sent.sent.MessageID, sent.sent.Seq}
	judgePlans(t, store, seen, p, func(t *testing.T, s statement) {
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.query, s.args...)
		if err != nil {
			t.Fatalf("%v: %s", err, s.query)
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			if scansTable(step) && !isBoundedScan(step, s.query) {
				t.Errorf("%s:\n%s", step, s.query)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// isBoundedScan reports whether a scan follows the primary key of the outbox and ends
// after a number of rows.
func isBoundedScan(step, query string) bool {
	return strings.HasPrefix(step, "SCAN index_outbox USING") && strings.Contains(query, "ORDER BY message_id") &&
		strings.Contains(query, "LIMIT $")
}

// scansTable reports whether a step of SQLite's plan reads something as a whole that is
// not a parameter.
func scansTable(step string) bool {
	what, scan := strings.CutPrefix(step, "SCAN ")
	if !scan {
		return false
	}
	for _, harmless := range []string{"json_each", "r", "own", "known", "CONSTANT ROW", "1-ROW VALUES", "16-ROW VALUES", "(subquery"} {
		if what == harmless || strings.HasPrefix(what, harmless+" ") || strings.HasPrefix(what, harmless+"-") {
			return false
		}
	}
	return true
}

// plan is a part of what EXPLAIN (FORMAT JSON) returns.
type plan struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []plan
}

// scanned returns the large tables that a plan reads as a whole.
func (p plan) scanned() (tables []string) {
	switch p.Relation {
	case "messages", "events", "chat_members", "mentions", "reactions":
		if p.Type == "Seq Scan" {
			tables = append(tables, p.Relation)
		}
	}
	for _, below := range p.Plans {
		tables = append(tables, below.scanned()...)
	}
	return tables
}

// TestPlansPostgres: with a million messages (in make prove, else a fifth of that), a
// third of them in one chat, no frequent statement reads a whole table, whether it is
// planned for its parameters or for any.
func TestPlansPostgres(t *testing.T) {
	seen := &statements{}
	databaseURL := postgresURL(t)
	store := start(t, persistence.Config{URL: databaseURL}.WithTrace(seen.trace), nobody{})
	messages := 200_000
	if os.Getenv("FECHATTER_ALL_SCENARIOS") != "" {
		messages = 1_000_000
	}
	db := raw(t, databaseURL)
	fill(t, db, messages)
	for _, index := range []string{"idx_messages_chat_created", "idx_chat_members_chat_user", "idx_messages_idempotency"} {
		var definition string
		if err := db.QueryRowContext(t.Context(), "SELECT indexdef FROM pg_indexes WHERE indexname = $1", index).Scan(&definition); err != nil {
			t.Errorf("%s: %v", index, err)
		}
	}
	for name, c := range map[string]int{"large": 1, "small": 500} {
		t.Run(name, func(t *testing.T) {
			p := place{user: id("user", c+1), other: id("user", c+98), chat: id("chat", c)}
			err := db.QueryRowContext(t.Context(), "SELECT id, seq FROM messages WHERE chat_id = $1 ORDER BY seq LIMIT 1 OFFSET 5", p.chat).
				Scan(&p.message, &p.seq)
			if err != nil {
				t.Fatal(err)
			}
			judgePlans(t, store, seen, p, func(t *testing.T, s statement) {
				for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
					found, err := explain(t.Context(), db, mode, s)
					if err != nil {
						t.Fatalf("%v: %s", err, s.query)
					}
					if tables := found.scanned(); len(tables) > 0 {
						t.Errorf("%s reads all of %v:\n%s", mode, tables, s.query)
					}
				}
			})
		})
	}
}

// explain returns the plan of a statement, prepared as the store prepares it.
func explain(ctx context.Context, db *sql.DB, mode string, s statement) (plan, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return plan{}, err
	}
	defer c.Close()
	literals := make([]string, len(s.args))
	for i, arg := range s.args {
		if v, ok := arg.(driver.Valuer); ok {
			if arg, err = v.Value(); err != nil {
				return plan{}, err
			}
		}
		literals[i] = "'" + strings.ReplaceAll(fmt.Sprint(arg), "'", "''") + "'"
		if arg == nil {
			literals[i] = "NULL"
		}
	}
	execute := "EXECUTE asked"
	if len(literals) > 0 {
		execute += " (" + strings.Join(literals, ", ") + ")"
	}
	for _, command := range []string{"SET plan_cache_mode = " + mode, "PREPARE asked AS " + s.query} {
		if _, err := c.ExecContext(ctx, command); err != nil {
			return plan{}, err
		}
	}
	defer c.ExecContext(ctx, "DEALLOCATE asked")
	var text string
	if err := c.QueryRowContext(ctx, "EXPLAIN (FORMAT JSON) "+execute).Scan(&text); err != nil {
		return plan{}, err
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		return plan{}, err
	}
	return plans[0].Plan, nil
}
