//go:build !mutate_leaving

package hub

// lastFramesFirst says that a new subscription waits until the last frames of the ended one are written.
const lastFramesFirst = true
