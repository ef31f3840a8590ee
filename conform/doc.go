// Package conform asks a running server whether it keeps the wire contract: one
// short check for each thing that the contract says, by its sections. It works
// from outside, as any client does, with users that it signs up itself, and
// takes away what it made. It knows nothing of the server but its address.
package conform
