//go:build !mutate_as_of

package hub

// passesByAsOf says that a stream which is behind its sender hears nothing that passes.
const passesByAsOf = true
