//go:build !mutate_open

package hub

// openBeforeRead says that the bus subscription is made, and confirmed, before the caller reads positions.
const openBeforeRead = true
