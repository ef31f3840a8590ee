//go:build !mutate_check_cursors

package check

// checkCursors: a cursor is never behind what was acknowledged, and unread is
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
				r.add("%s has read %s to %d, and %d was acknowledged", user, c.ID, s.ReadSeq, acked[place{c.ID, user}])
			case s.LastSeq != c.LastSeq, s.ReadSeq > s.DeliveredSeq, s.DeliveredSeq > s.LastSeq:
				r.add("%s stands in %s at %+v, its last_seq is %d", user, c.ID, s, c.LastSeq)
			case s.Unread != unread:
				r.add("%s stands in %s at %+v, and %d are unread", user, c.ID, s, unread)
			}
		}
	}
}
