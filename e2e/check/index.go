//go:build !mutate_check_index

package check

// checkIndex: what a search was asked for when nothing waited to be indexed, it
// found, and found nothing else.
func checkIndex(run *Run, r *report) {
	for _, s := range run.Searches {
		found := map[string]bool{}
		for _, id := range s.Found {
			if found[id] {
				r.add("%q in %s finds %s twice", s.Query, s.ChatID, id)
			}
			found[id] = true
		}
		for _, id := range s.Want {
			if !found[id] {
				r.add("%q in %s does not find %s", s.Query, s.ChatID, id)
			}
			delete(found, id)
		}
		for id := range found {
			r.add("%q in %s finds %s", s.Query, s.ChatID, id)
		}
	}
}
