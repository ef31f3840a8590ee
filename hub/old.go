//go:build !mutate_old

package hub

// isOld reports whether an event was delivered before: it is dropped.
func isOld(seq, next int64) bool { return seq < next }
