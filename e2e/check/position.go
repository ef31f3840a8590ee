package check

// positions is where a client stands in each chat while its frames go by.
type positions struct {
	cursors map[string]int64 // as the resume said
	at      map[string]int64 // the last seq of every chat it was told of
	entries map[string]Entry // as told before ready
}

func newPositions(c *Connection) *positions {
	return &positions{cursors: c.Cursors, at: map[string]int64{}, entries: map[string]Entry{}}
}

// take moves on by one frame.
func (p *positions) take(f Frame) {
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

// behind is how many events a resume had to bring in all.
func (p *positions) behind() (n int64) {
	for id, e := range p.entries {
		if cursor, ok := p.cursors[id]; ok && cursor < e.LastSeq {
			n += e.LastSeq - cursor
		}
	}
	return n
}
