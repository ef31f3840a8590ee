// Package chat is the domain: users, sessions, chats, members, messages,
// reactions and cursors, their rules, and the use cases that a front end calls
// through Service.
//
// It needs storage, password hashing and identifiers, and declares them as the
// small interfaces in store.go and service.go. It knows nothing about SQL, HTTP,
// WebSockets or how an event reaches other people, and imports only the standard
// library. Every decision about a chat is made inside a transaction of the store
// (see Tx), under the lock of the chat's stream.
package chat
