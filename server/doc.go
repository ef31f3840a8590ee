// Package server is the network front end: the REST routes, the WebSocket, the
// SSE stream, the health pages and the documents that describe them, all in the
// one table of routes.go.
//
// It turns requests into calls of chat.Service and answers into the wire
// contract: strict JSON in, problems (RFC 9457) out, credentials, origins and
// rates checked on the way. It does not know how anything is stored, what the
// rules of chats are, or how events travel between nodes; connections that are
// established belong to package hub.
package server
