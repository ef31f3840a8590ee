//go:build mutate_wide

package hub

// tooWide is broken on purpose: a large hole is jumped to the first event that is held.
func (q *sequencer) tooWide(missing, window int) bool {
	if missing > window && len(q.held) > 0 {
		first := q.known
		for s := range q.held {
			if first < q.next || s < first {
				first = s
			}
		}
		q.next = first
	}
	return false
}
