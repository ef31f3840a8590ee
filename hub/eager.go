//go:build !mutate_eager

package hub

// personalIsEager says that the position check of a personal stream never backs off: a revoked session and an
// invitation are seen within Config.CheckEvery.
const personalIsEager = true
