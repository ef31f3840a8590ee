//go:build !mutate_check_complete

package check

import "slices"

// checkComplete: when all is at rest, a live connection has brought every event
// of every chat that its user is in, and follows no other.
func checkComplete(run *Run, r *report) {
	for i := range run.Connections {
		c := &run.Connections[i]
		if !c.Final {
			continue
		}
		p := newPositions(c)
		for _, f := range c.Frames {
			p.take(f)
		}
		for _, chat := range run.Chats {
			at, told := p.at[chat.ID]
			member := slices.Contains(chat.Members, c.UserID)
			switch {
			case member && !told:
				r.add("%s: was not told of %s", c.Name, chat.ID)
			case member && at != chat.LastSeq:
				r.add("%s: is at %d of %d of %s", c.Name, at, chat.LastSeq, chat.ID)
			case !member && told:
				r.add("%s: still follows %s, of which its user is no member", c.Name, chat.ID)
			}
		}
	}
}
