//go:build mutate_boundary

package hub

// waitsForBoundary is broken on purpose: a pong lands inside a frame.
const waitsForBoundary = false
