//go:build mutate_stale

package hub

// marksStale is broken on purpose: the ring replays deleted text.
const marksStale = false
