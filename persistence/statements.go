package persistence

// statements are those that depend on the dialect and run often.
type statements struct {
	lock, exist, clock, names                             string
	facts, saveStreams, moveCursors                       bulk
	insertEvents, insertMessages, insertLog, insertOutbox bulk
	insertMentions, deleteOutbox                          bulk
	insertMembers, acceptChats, insertMessageFiles        bulk

	addUsage string

	members, cursors, readNumbers, mentionCounts string
	saveCursors                                  bulk
}

func newStatements(d dialect) statements {
	s := statements{
		lock: "SELECT id, last_seq, last_no, last_ts, members FROM streams WHERE id IN " + d.ids() + " ORDER BY id",

		exist: "SELECT id FROM streams WHERE id IN " + d.ids(),

		clock: "SELECT " + d.now,

		facts: selection[sendRow](d, func(rows string) string {
			return `SELECT r.i, (SELECT ` + d.now + `), m.id, m.seq, m.created_at, m.fingerprint,
				cm.user_id IS NOT NULL, COALESCE(c.archived, 0), rt.id IS NOT NULL,
				COALESCE(c.kind, ''), COALESCE(cm.standing, 0), COALESCE(cm.barred, 0)
			FROM ` + rows + ` AS r
			LEFT JOIN messages m ON m.chat_id = r.chat_id AND m.sender_id = r.sender_id AND m.key = r.key
			LEFT JOIN chat_members cm ON cm.chat_id = r.chat_id AND cm.user_id = r.sender_id
			LEFT JOIN chats c ON c.id = r.chat_id
			LEFT JOIN messages rt ON rt.id = r.reply_to AND rt.chat_id = r.chat_id`
		}),

		names: `SELECT cm.chat_id, u.username, u.id
			FROM ` + d.recordset(columnsOf[nameRow]()) + ` AS r
			JOIN users u ON u.username = r.name
			JOIN chat_members cm ON cm.chat_id = r.chat_id AND cm.user_id = u.id`,

		saveStreams: update[streamRow](d, "streams", []string{"id"}, "last_seq", "last_no", "last_ts", "members"),

		moveCursors: update[cursorRow](d, "chat_members", []string{"chat_id", "user_id"},
			"read_seq=seq", "read_no=no", "delivered_seq=seq", "shown_read_seq=seq", "shown_delivered_seq=seq"),

		insertEvents: insert[eventRow](d, "events", append(d.tx, "stream_id", "seq", "op", "ts", "actor_id", "personal", "subject",
			"message_id", "message_seq", "op_id", "d")...),

		insertMessages: insert[messageRow](d, "messages", "chat_id", "seq", "no", "id", "sender_id", "key", "fingerprint",
			"body", "data", "attachments", "reply_to", "mentions", "mentions_all", "version=1", "changed_seq=seq", "created_at=ts"),

		insertLog: insert[messageRow](d, "events", append(d.tx, "stream_id=chat_id", "seq", "op='message.created'", "ts",
			"actor_id=sender_id", "personal=0", "subject=''", "message_id=id", "message_seq=seq", "op_id", "d='{}'")...),

		insertOutbox: insert[messageRow](d, "index_outbox", "message_id=id", "version=1", "queued_at=ts"),

		deleteOutbox: deleteUpTo[outboxRow](d, "index_outbox", "message_id", "version"),

		insertMembers: insert[newMemberRow](d, "chat_members", "user_id", "chat_id", "role", "joined_at", "added_seq", "muted=0",
			"read_seq=added_seq", "read_no", "delivered_seq=added_seq", "shown_read_seq=added_seq", "shown_delivered_seq=added_seq", "standing"),

		acceptChats: update[cursorRow](d, "chat_members", []string{"chat_id", "user_id"}, "standing=2"),

		insertMessageFiles: insert[messageFileRow](d, "message_files", "file_id", "chat_id", "message_id", "seq", "kind"),

		insertMentions: insert[mentionRow](d, "mentions", "user_id", "chat_id", "seq"),

		addUsage: `INSERT INTO usage (user_id, day, bytes)
			SELECT r.user_id, r.day, r.bytes FROM ` + d.recordset(columnsOf[usageRow]()) + ` AS r WHERE true
			ON CONFLICT (user_id) DO UPDATE SET day = excluded.day,
				bytes = CASE WHEN usage.day = excluded.day THEN usage.bytes + excluded.bytes ELSE excluded.bytes END
				WHERE usage.day <= excluded.day`,
	}
	s.addCursors(d)
	return s
}

// addCursors adds the statements that move cursors.
func (s *statements) addCursors(d dialect) {
	s.members = `SELECT cm.user_id, cm.chat_id FROM chat_members cm WHERE (cm.user_id, cm.chat_id) IN
			(SELECT r.user_id, r.chat_id FROM ` + d.recordset(columnsOf[memberRow]()) + ` AS r) ORDER BY cm.chat_id, cm.user_id`

	s.cursors = `SELECT cm.user_id, cm.chat_id, cm.read_seq, cm.delivered_seq, cm.read_no, s.last_seq, s.last_no, s.members,
				cm.shown_read_seq, cm.shown_delivered_seq, u.presence = 'invisible'
			FROM ` + d.recordset(columnsOf[memberRow]()) + ` AS r
			JOIN chat_members cm ON cm.user_id = r.user_id AND cm.chat_id = r.chat_id
			JOIN streams s ON s.id = r.chat_id
			JOIN users u ON u.id = r.user_id`

	s.readNumbers = `SELECT r.user_id, r.chat_id, COALESCE((SELECT m.no FROM messages m
				WHERE m.chat_id = r.chat_id AND m.seq <= r.read_seq ORDER BY m.seq DESC LIMIT 1), 0)
			FROM ` + d.recordset(columnsOf[memberRow]()) + ` AS r`

	s.mentionCounts = `SELECT r.user_id, r.chat_id,
				` + mentionsOf("r") + `
			FROM ` + d.recordset(columnsOf[memberRow]()) + ` AS r`

	s.saveCursors = update[cursorSave](d, "chat_members", []string{"user_id", "chat_id"}, "read_seq", "read_no", "delivered_seq",
		"shown_read_seq", "shown_delivered_seq")
}
