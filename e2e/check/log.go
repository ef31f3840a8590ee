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
			r.add("the events of %s end at %d but its last_seq is %d", c.ID, due-1, c.LastSeq)
		}
	}
}

// checkTimes: time never runs backwards within a chat.
func checkTimes(run *Run, r *report) {
	for _, c := range run.Chats {
		last := int64(0)
		for _, e := range c.Events {
			if e.TS < last {
				r.add("event %d of %s has the time %d, after an event at %d", e.Seq, c.ID, e.TS, last)
			}
			last = e.TS
		}
	}
}

// checkKeys: each key has one message, and each message one creation.
func checkKeys(run *Run, r *report) {
	for _, c := range run.Chats {
		seen, created := map[[2]string]int64{}, map[string]int64{}
		for _, e := range c.Events {
			if e.Op != "message.created" {
				continue
			}
			if first, twice := created[e.MessageID]; twice {
				r.add("message %s of %s was created at %d and at %d", e.MessageID, c.ID, first, e.Seq)
			}
			created[e.MessageID] = e.Seq
		}
		for _, m := range c.Messages {
			key := [2]string{m.SenderID, m.Key}
			if first, twice := seen[key]; twice {
				r.add("key %s of %s is stored in %s at %d and at %d", m.Key, m.SenderID, c.ID, first, m.Seq)
			}
			seen[key] = m.Seq
			if at := created[m.ID]; at != m.Seq {
				r.add("message %s stands in %s at %d but was created at %d", m.ID, c.ID, m.Seq, at)
			}
			delete(created, m.ID)
		}
		for id, seq := range created {
			r.add("event %d of %s created message %s, which does not exist", seq, c.ID, id)
		}
	}
}
