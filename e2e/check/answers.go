package check

// checkFaults: no answer blames the server itself.
func checkFaults(run *Run, r *report) {
	for _, f := range run.Faults {
		r.add("%s", f)
	}
}

// checkCursors: a cursor is never behind what was acknowledged, and unread counts
// what others wrote after it.
func checkCursors(run *Run, r *report) {
	type place struct{ chat, user string }
	acked := map[place]int64{}
	for _, c := range run.Cursors {
		at := place{c.ChatID, c.UserID}
		acked[at] = max(acked[at], c.ReadSeq)
	}
	for _, c := range run.Chats {
		for user, s := range c.Standing {
			unread := int64(0)
			for _, m := range c.Messages {
				if m.Seq > s.ReadSeq && m.SenderID != user {
					unread++
				}
			}
			switch {
			case s.ReadSeq < acked[place{c.ID, user}]:
				r.add("%s has read %s to %d, but %d was acknowledged", user, c.ID, s.ReadSeq, acked[place{c.ID, user}])
			case s.LastSeq != c.LastSeq, s.ReadSeq > s.DeliveredSeq, s.DeliveredSeq > s.LastSeq:
				r.add("%s stands in %s at %+v, whose last_seq is %d", user, c.ID, s, c.LastSeq)
			case s.Unread != unread:
				r.add("%s stands in %s at %+v, but %d are unread", user, c.ID, s, unread)
			}
		}
	}
}

// checkIndex: once nothing waits to be indexed, a search finds what it should and
// nothing else.
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
