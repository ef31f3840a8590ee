//go:build mutate_as_of

package hub

const passesByAsOf = false
