// Package chat is the domain: users, sessions, chats, members, messages,
// reactions and cursors, the rules about them, and the use cases that a front
// end calls through Service.
//
// It needs storage, password hashing and identifiers, and says so in the small
// interfaces of store.go and service.go. It knows neither SQL nor HTTP nor
// WebSockets nor how an event reaches other people: it imports the standard
// library only. What it decides, it decides inside a transaction of the store
// (see Tx), under the lock of the chat's stream.
package chat
