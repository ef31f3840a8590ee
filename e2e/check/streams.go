package check

import "slices"

// The limits that hello announces: a client closer than that is never reset.
const (
	resumeWindow = 500
	resumeEvents = 2000
	// tokenLag is more than a chat of a run receives in the second that a token
	// may be old, and in the repair before it.
	tokenLag = 400
)

// positions is where a client stands in each chat while its frames go by.
type positions struct {
	cursors map[string]int64 // sent with the resume
	at      map[string]int64 // the last seq of every chat that the server named
	entries map[string]Entry // those sent before ready
}

func newPositions(c *Connection) *positions {
	return &positions{cursors: c.Cursors, at: map[string]int64{}, entries: map[string]Entry{}}
}

// apply moves on by one frame.
func (p *positions) apply(f Frame) {
	switch f.Op {
	case "chats":
		for _, e := range f.Entries {
			p.entries[e.ID] = e
			p.at[e.ID] = e.LastSeq
			if cursor, ok := p.cursors[e.ID]; ok {
				p.at[e.ID] = cursor
			}
		}
	case "chat.left":
		delete(p.at, f.ChatID)
	case "chat.joined", "reset":
		p.at[f.ChatID] = f.Seq
	}
	if f.Event != nil {
		p.at[f.ChatID] = f.Seq
	}
}

// behind counts the events that a resume had to bring.
func (p *positions) behind() (n int64) {
	for id, e := range p.entries {
		if cursor, ok := p.cursors[id]; ok && cursor < e.LastSeq {
			n += e.LastSeq - cursor
		}
	}
	return n
}

// checkStreams: the events of a chat on a connection are consecutive from where
// its client stood, and a resume brings all that it had to before it says ready.
func checkStreams(run *Run, r *report) {
	for i := range run.Connections {
		c := &run.Connections[i]
		p := newPositions(c)
		for _, f := range c.Frames {
			at, named := p.at[f.ChatID]
			switch {
			case f.Event == nil && f.Op == "ready":
				p.ready(c, r)
			case f.Event == nil:
			case !named:
				r.add("%s: event %d of %s, a chat that the server never named", c.Name, f.Seq, f.ChatID)
			case f.Seq != at+1:
				r.add("%s: event %d of %s where %d was due", c.Name, f.Seq, f.ChatID, at+1)
			}
			p.apply(f)
		}
	}
}

func (p *positions) ready(c *Connection, r *report) {
	for id := range p.cursors {
		if e, named := p.entries[id]; named && p.at[id] < e.LastSeq {
			if _, member := p.at[id]; member {
				r.add("%s: ready with %s at %d of %d", c.Name, id, p.at[id], e.LastSeq)
			}
		}
	}
}

// checkComplete: once all is at rest, a live connection has brought every event of
// every chat that its user is in, and follows no other chat.
func checkComplete(run *Run, r *report) {
	for i := range run.Connections {
		c := &run.Connections[i]
		if !c.Final {
			continue
		}
		p := newPositions(c)
		for _, f := range c.Frames {
			p.apply(f)
		}
		for _, chat := range run.Chats {
			at, named := p.at[chat.ID]
			member := slices.Contains(chat.Members, c.UserID)
			switch {
			case member && !named:
				r.add("%s: never heard of %s", c.Name, chat.ID)
			case member && at != chat.LastSeq:
				r.add("%s: is at %d of %d of %s", c.Name, at, chat.LastSeq, chat.ID)
			case !member && named:
				r.add("%s: still follows %s, which its user is not in", c.Name, chat.ID)
			}
		}
	}
}

// checkResets: a server that can go on does not say reset. The database of a run
// has one history and is not trimmed, so distance and a new membership are the
// only reasons.
func checkResets(run *Run, r *report) {
	for i := range run.Connections {
		c := &run.Connections[i]
		p, live := newPositions(c), false
		for _, f := range c.Frames {
			live = live || f.Op == "ready"
			if f.Op == "reset" && !p.mayReset(f, live, c.Token) {
				r.add("%s: reset of %s to %d, %s, from %d", c.Name, f.ChatID, f.Seq, f.Reason, p.at[f.ChatID])
			}
			p.apply(f)
		}
	}
}

func (p *positions) mayReset(f Frame, live, token bool) bool {
	at, named := p.at[f.ChatID]
	lag := int64(0)
	if token && !live {
		lag = tokenLag
	}
	if !named || f.Seq < at {
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
