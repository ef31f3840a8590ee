package persistence

// statements are those that the dialect takes part in and that run often.
type statements struct {
	lock, exist, clock, saveStreams, insertEvents         string
	facts, names, insertMessages, insertLog, insertOutbox string
	insertMentions, moveCursors                           string
}

const (
	sendColumns    = "i bigint, chat_id text, sender_id text, key text, reply_to text"
	nameColumns    = "chat_id text, name text"
	mentionColumns = "user_id text, chat_id text, seq bigint"
	cursorColumns  = "chat_id text, user_id text, seq bigint, no bigint"
	streamColumns  = "id text, last_seq bigint, last_no bigint, last_ts bigint, members bigint"
	eventColumns   = "stream_id text, seq bigint, op text, ts bigint, actor_id text, personal int, subject text, " +
		"message_id text, message_seq bigint, op_id text, d text"
	messageColumns = "id text, chat_id text, seq bigint, no bigint, sender_id text, key text, fingerprint text, body text, " +
		"reply_to text, mentions text, mentions_all int, ts bigint, op_id text"
)

func newStatements(d dialect) statements {
	return statements{
		lock: "SELECT id, last_seq, last_no, last_ts, members FROM streams WHERE id IN " + d.ids("$1") + " ORDER BY id",

		exist: "SELECT id FROM streams WHERE id IN " + d.ids("$1"),

		clock: "SELECT " + d.now,

		saveStreams: `UPDATE streams SET last_seq = r.last_seq, last_no = r.last_no, last_ts = r.last_ts, members = r.members
			FROM ` + d.rows("$1", streamColumns) + ` AS r WHERE streams.id = r.id`,

		insertEvents: `INSERT INTO events (stream_id, seq, op, ts, actor_id, personal, subject, message_id, message_seq, op_id, d)
			SELECT stream_id, seq, op, ts, actor_id, personal, subject, message_id, message_seq, op_id, d
			FROM ` + d.rows("$1", eventColumns) + ` AS r WHERE true`,

		facts: `SELECT r.i, ` + d.now + `, m.id, m.seq, m.created_at, m.fingerprint,
				cm.user_id IS NOT NULL, COALESCE(c.archived, 0), rt.id IS NOT NULL
			FROM ` + d.rows("$1", sendColumns) + ` AS r
			LEFT JOIN messages m ON m.chat_id = r.chat_id AND m.sender_id = r.sender_id AND m.key = r.key
			LEFT JOIN chat_members cm ON cm.chat_id = r.chat_id AND cm.user_id = r.sender_id
			LEFT JOIN chats c ON c.id = r.chat_id
			LEFT JOIN messages rt ON rt.id = r.reply_to AND rt.chat_id = r.chat_id`,

		names: `SELECT cm.chat_id, u.username, u.id
			FROM ` + d.rows("$1", nameColumns) + ` AS r
			JOIN users u ON u.username = r.name
			JOIN chat_members cm ON cm.chat_id = r.chat_id AND cm.user_id = u.id`,

		insertMessages: `INSERT INTO messages (chat_id, seq, no, id, sender_id, key, fingerprint, body, reply_to,
				mentions, mentions_all, version, changed_seq, created_at)
			SELECT chat_id, seq, no, id, sender_id, key, fingerprint, body, reply_to, mentions, mentions_all, 1, seq, ts
			FROM ` + d.rows("$1", messageColumns) + ` AS r WHERE true`,

		insertLog: `INSERT INTO events (stream_id, seq, op, ts, actor_id, personal, subject, message_id, message_seq, op_id, d)
			SELECT chat_id, seq, 'message.created', ts, sender_id, 0, '', id, seq, op_id, ` + storedContent + `
			FROM ` + d.rows("$1", messageColumns) + ` AS r WHERE true`,

		insertOutbox: `INSERT INTO index_outbox (message_id, version)
			SELECT id, 1 FROM ` + d.rows("$1", messageColumns) + ` AS r WHERE true`,

		insertMentions: `INSERT INTO mentions (user_id, chat_id, seq)
			SELECT user_id, chat_id, seq FROM ` + d.rows("$1", mentionColumns) + ` AS r WHERE true`,

		moveCursors: `UPDATE chat_members SET read_seq = r.seq, read_no = r.no, delivered_seq = r.seq
			FROM ` + d.rows("$1", cursorColumns) + ` AS r
			WHERE chat_members.chat_id = r.chat_id AND chat_members.user_id = r.user_id`,
	}
}
