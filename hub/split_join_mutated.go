//go:build mutate_split_join

package hub

// splitAtRemoval closes the segment after a removal.
func (p *pending) splitAtRemoval() { p.close() }

// splitAtJoin is broken on purpose: the joiner is put into the open segment, whose frames it already has.
func (p *pending) splitAtJoin(subs *subset) {
	if p.open {
		p.segments[len(p.segments)-1].subs = subs.share()
	}
}
