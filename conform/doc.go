// Package conform checks whether a running server keeps the wire contract: one short
// check for each thing that the contract says, by its sections. It works from outside,
// as any client does, with users that it signs up itself, and removes what it made. It
// knows nothing of the server but its address.
package conform
