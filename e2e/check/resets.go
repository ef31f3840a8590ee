//go:build !mutate_check_resets

package check

// The limits that hello tells: a client closer than that is never reset.
const (
	resumeWindow = 500
	resumeEvents = 2000
	// tokenLag is more than a chat of a run gets in the second that a token may
	// be old, and in the repair before it.
	tokenLag = 400
)

// checkResets: a server that can go on does not say reset. The database of a run
// has one history and is not trimmed, so only distance and a new membership are
// reasons.
func checkResets(run *Run, r *report) {
	for i := range run.Connections {
		c := &run.Connections[i]
		p, live := newPositions(c), false
		for _, f := range c.Frames {
			live = live || f.Op == "ready"
			if f.Op == "reset" && !p.mayReset(f, live, c.Token) {
				r.add("%s: reset of %s to %d, %s, from %d", c.Name, f.ChatID, f.Seq, f.Reason, p.at[f.ChatID])
			}
			p.take(f)
		}
	}
}

func (p *positions) mayReset(f Frame, live, token bool) bool {
	at, told := p.at[f.ChatID]
	lag := int64(0)
	if token && !live {
		lag = tokenLag
	}
	if !told || f.Seq < at {
		return false
	}
	switch f.Reason {
	case "too_far":
		return f.Seq-at+lag > resumeWindow || !live && p.behind()+lag > resumeEvents
	case "rejoined":
		return !live && at-lag < p.entries[f.ChatID].AddedSeq
	}
	return false
}
