//go:build !mutate_check_times

package check

// checkTimes: within a chat the time never runs backwards.
func checkTimes(run *Run, r *report) {
	for _, c := range run.Chats {
		last := int64(0)
		for _, e := range c.Events {
			if e.TS < last {
				r.add("event %d of %s has the time %d, after one of %d", e.Seq, c.ID, e.TS, last)
			}
			last = e.TS
		}
	}
}
