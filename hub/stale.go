//go:build !mutate_stale

package hub

// marksStale says that an edit or a deletion empties the ring's earlier entries of its message.
const marksStale = true
