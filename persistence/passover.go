//go:build !mutate_pass_over

package persistence

// passOver makes a group take the chats that are free: one that somebody else
// holds must not stall the others.
func (d dialect) passOver() string { return d.skipLocked }
