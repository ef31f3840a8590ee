// Package persistence keeps the facts: users, sessions, chats, members,
// messages, reactions, cursors and the event log, in SQLite or PostgreSQL by
// the same SQL. Store implements chat.Store, and answers the hub's questions
// about positions and events.
//
// A stream (a chat, or a user's personal events) has one row in the table
// streams. Who appends to it locks that row first, by a statement of its own,
// and reads everything it decides on by later statements: so seq order is
// commit order is the order in which readers see events, without holes. Sends
// are committed in groups (see batch.go), everything else in plain transactions
// under the same locks (see change.go).
//
// The package knows no rule of chats: it asks chat.Send and the function given
// to Change. It knows nothing of connections, buses and the wire either; it
// hands committed events to a chat.Publisher and forgets them.
package persistence
