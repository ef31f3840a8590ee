//go:build !mutate_check_keys

package check

// checkKeys: one message for each key, and one creation for each message.
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
				r.add("message %s stands in %s at %d, and its creation at %d", m.ID, c.ID, m.Seq, at)
			}
			delete(created, m.ID)
		}
		for id, seq := range created {
			r.add("event %d of %s created message %s, which is not there", seq, c.ID, id)
		}
	}
}
