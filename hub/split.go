//go:build !mutate_split_removal && !mutate_split_join

package hub

// splitAtRemoval closes the segment after a removal, so that the removed user gets nothing that follows it.
func (p *pending) splitAtRemoval() { p.close() }

// splitAtJoin closes the segment after a subscriber has joined, who was given its frames from the ring.
func (p *pending) splitAtJoin(*subset) { p.close() }
