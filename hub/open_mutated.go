//go:build mutate_open

package hub

// openBeforeRead is broken on purpose: the bus subscription comes after the read, with the Attach.
const openBeforeRead = false
