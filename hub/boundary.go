//go:build !mutate_boundary

package hub

// waitsForBoundary says that a control frame waits until a begun frame has been written to its end.
const waitsForBoundary = true
