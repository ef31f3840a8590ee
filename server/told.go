//go:build !mutate_told

package server

// attachWhereTold says that a chat is attached at the position that the client
// was told, however much later that is: events in between are not skipped.
const attachWhereTold = true
