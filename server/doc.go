// Package server is the network front end: the REST routes, the WebSocket, the SSE
// stream, the health pages and the documents that describe them. Its tables of
// contents are routes.go, for paths, and commands.go, for what clients send over the
// WebSocket.
//
// It turns requests into calls of chat.Service, and results into the wire contract:
// strict JSON in, problems (RFC 9457) out, with credentials, origins and rates
// checked on the way. It does not know how anything is stored, what the
// rules of chats are, or how events travel between nodes; connections that are
// established belong to package hub.
package server
