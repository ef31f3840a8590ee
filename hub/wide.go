//go:build !mutate_wide

package hub

// tooWide reports whether a hole is larger than the window: it is never jumped with subscribers on, for it may hold
// the removal of one of them.
func (q *sequencer) tooWide(missing, window int) bool { return missing > window }
