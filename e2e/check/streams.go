//go:build !mutate_check_streams

package check

// checkStreams: what a connection brings of a chat is consecutive from where its
// client stood, and a resume has brought what it had to before it says ready.
func checkStreams(run *Run, r *report) {
	for i := range run.Connections {
		c := &run.Connections[i]
		p := newPositions(c)
		for _, f := range c.Frames {
			at, told := p.at[f.ChatID]
			switch {
			case f.Event == nil && f.Op == "ready":
				p.ready(c, r)
			case f.Event == nil:
			case !told:
				r.add("%s: event %d of %s, a chat that it was not told of", c.Name, f.Seq, f.ChatID)
			case f.Seq != at+1:
				r.add("%s: event %d of %s where %d was due", c.Name, f.Seq, f.ChatID, at+1)
			}
			p.take(f)
		}
	}
}

func (p *positions) ready(c *Connection, r *report) {
	for id := range p.cursors {
		if e, told := p.entries[id]; told && p.at[id] < e.LastSeq {
			if _, member := p.at[id]; member {
				r.add("%s: ready with %s at %d of %d", c.Name, id, p.at[id], e.LastSeq)
			}
		}
	}
}
