//go:build mutate_split_removal

package hub

// splitAtRemoval is broken on purpose: the removed user stays in the open segment.
func (p *pending) splitAtRemoval() {}

// splitAtJoin closes the segment after a subscriber has joined.
func (p *pending) splitAtJoin(*subset) { p.close() }
