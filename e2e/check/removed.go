package check

import "sort"

// checkRemoved: from the removal of a member until they are added again, no event
// reaches them.
func checkRemoved(run *Run, r *report) {
	gone := map[[2]string][]span{} // by chat and user, in seq order
	for _, c := range run.Chats {
		for _, e := range c.Events {
			at := [2]string{c.ID, e.UserID}
			spans := gone[at]
			switch e.Op {
			case "member.removed":
				gone[at] = append(spans, span{after: e.Seq, until: c.LastSeq + 1})
			case "member.added":
				if n := len(spans); n > 0 {
					spans[n-1].until = e.Seq
				}
			}
		}
	}
	for _, c := range run.Connections {
		for _, f := range c.Frames {
			if f.Event == nil {
				continue
			}
			if s, out := find(gone[[2]string{f.ChatID, c.UserID}], f.Seq); out {
				r.add("%s: event %d of %s after the removal at %d", c.Name, f.Seq, f.ChatID, s.after)
			}
		}
	}
}

// span is a time without membership: the seqs between two, both excluded.
type span struct{ after, until int64 }

// find returns the span that holds a seq.
func find(spans []span, seq int64) (span, bool) {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].until > seq })
	if i < len(spans) && seq > spans[i].after {
		return spans[i], true
	}
	return span{}, false
}
