//go:build mutate_behind

package hub

// waitsForStream is broken on purpose: the connection is subscribed to a stream that has still to come to its position.
const waitsForStream = false
