//go:build mutate_old

package hub

// isOld is broken on purpose: a repeated event is delivered again.
func isOld(seq, next int64) bool { return false }
