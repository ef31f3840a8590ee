package persistence_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// id returns one of the ids made by fill.
func id(kind string, n int) string {
	return fmt.Sprintf("00000000-0000-7000-%s-%012d", map[string]string{"user": "8000", "chat": "9000", "message": "a000"}[kind], n)
}

// fill makes messages in 10,000 chats of 2,000 users: a third of them in chat 1,
// where everybody is a member; the other chats have 20 members. For small n the
// owner of chat n is user n+1, and its second member is user n+98.
func fill(t testing.TB, db *sql.DB, messages int) {
	t.Helper()
	made := func(kind, n string) string {
		return "'" + strings.TrimSuffix(id(kind, 0), "000000000000") + "' || lpad((" + n + ")::text, 12, '0')"
	}
	db.SetMaxOpenConns(1)
	execRaw(t, db, "SET session_replication_role = replica") // foreign keys are not checked
	execRaw(t, db, "SET maintenance_work_mem = '256MB'")
	rebuild := withoutIndexes(t, db, "chat_members", "messages", "events", "mentions", "reactions")
	member := "1 + (c.n + 97 * k.n) % 2000"
	for _, query := range []string{
		`INSERT INTO users (id, username, display_name, search, password_hash, created_at)
			SELECT ` + made("user", "n") + `, 'user' || n, 'User ' || n, 'user' || n, '', n FROM generate_series(1, 2000) n`,
		`INSERT INTO streams (id) SELECT ` + made("user", "n") + ` FROM generate_series(1, 2000) n`,
		`INSERT INTO chats (id, kind, name, search, topic, created_by, created_at)
			SELECT ` + made("chat", "n") + `, CASE WHEN n = 1 THEN 'public' ELSE 'group' END, 'chat', 'chat', '', ` + made("user", "1 + n % 2000") + `, n
			FROM generate_series(1, 10000) n`,
		`INSERT INTO chat_members (user_id, chat_id, role, joined_at, added_seq)
			SELECT ` + made("user", member) + ", " + made("chat", "c.n") + `, CASE WHEN k.n = 0 THEN 'owner' ELSE 'member' END, 1, k.n + 2
			FROM generate_series(1, 10000) c(n), LATERAL generate_series(0, CASE WHEN c.n = 1 THEN 1999 ELSE 19 END) k(n)`,
		fmt.Sprintf(`CREATE UNLOGGED TABLE sent AS SELECT n, chat, row_number() OVER (PARTITION BY chat ORDER BY n) AS no
			FROM (SELECT n, CASE WHEN n %% 3 = 0 THEN 1 ELSE 1 + n %% 10000 END AS chat FROM generate_series(1, %d) n) x`, messages),
		`INSERT INTO messages (chat_id, seq, no, id, sender_id, key, fingerprint, body, reply_to, mentions, mentions_all,
				version, changed_seq, created_at)
			SELECT ` + made("chat", "chat") + `, no + 2001, no, ` + made("message", "n") + `, ` + made("user", "1 + chat % 2000") + `, md5(n::text), '',
				'hello', '', '[]', CASE WHEN n % 1000 = 7 THEN 1 ELSE 0 END, 1, no + 2001, 1000 + n FROM sent`,
		`INSERT INTO events (stream_id, seq, op, ts, actor_id, personal, subject, message_id, message_seq, op_id, d)
			SELECT ` + made("chat", "chat") + `, no + 2001, 'message.created', 1000 + n, ` + made("user", "1 + chat % 2000") + `, 0, '',
				` + made("message", "n") + `, no + 2001, md5(n::text), '{}' FROM sent`,
		`INSERT INTO mentions (user_id, chat_id, seq) SELECT ` + made("user", "1 + n % 2000") + ", " + made("chat", "chat") + `, no + 2001
			FROM sent WHERE n % 10 = 0`,
		`INSERT INTO reactions (message_id, emoji, user_id, seq) SELECT ` + made("message", "n") + `, '👍', ` + made("user", "1 + chat % 2000") + `, 1
			FROM sent WHERE n % 5 = 0`,
		`INSERT INTO streams (id, last_seq, last_no, last_ts, members) SELECT ` + made("chat", "chat") + `, max(no) + 2001, max(no), max(n) + 1000,
				CASE WHEN chat = 1 THEN 2000 ELSE 20 END FROM sent GROUP BY chat`,
		"DROP TABLE sent",
	} {
		execRaw(t, db, query)
	}
	rebuild()
	execRaw(t, db, "ANALYZE")
}

// withoutIndexes removes the indexes of empty tables and keeps the tables out of the
// write-ahead log: they fill several times as fast. rebuild restores the indexes.
func withoutIndexes(t testing.TB, db *sql.DB, tables ...string) (rebuild func()) {
	t.Helper()
	var definitions []string
	for _, table := range tables {
		rows, err := db.QueryContext(t.Context(), `SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisprimary
			FROM pg_index i WHERE i.indrelid = $1::regclass`, table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		drops := []string{"ALTER TABLE " + table + " SET UNLOGGED"}
		for rows.Next() {
			var name, definition string
			var primary bool
			if err := rows.Scan(&name, &definition, &primary); err != nil {
				t.Fatal(err)
			}
			definitions = append(definitions, definition)
			if primary {
				drops = append(drops, "ALTER TABLE "+table+" DROP CONSTRAINT "+name)
			} else {
				drops = append(drops, "DROP INDEX "+name)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for _, drop := range drops {
			execRaw(t, db, drop)
		}
	}
	return func() {
		for _, definition := range definitions {
			execRaw(t, db, definition)
		}
	}
}
