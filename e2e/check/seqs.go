//go:build !mutate_check_seqs

package check

// checkSeqs: the events of a chat are numbered 1 … last_seq without a hole.
func checkSeqs(run *Run, r *report) {
	for _, c := range run.Chats {
		due := int64(1)
		for _, e := range c.Events {
			if e.Seq != due {
				r.add("event %d of %s stands where %d was due", e.Seq, c.ID, due)
			}
			due = e.Seq + 1
		}
		if due != c.LastSeq+1 {
			r.add("the events of %s end at %d, its last_seq is %d", c.ID, due-1, c.LastSeq)
		}
	}
}
