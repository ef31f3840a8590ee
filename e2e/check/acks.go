//go:build !mutate_check_acks

package check

// checkAcks: what was acknowledged is stored, as it was acknowledged; and
// nothing is stored that nobody sent.
func checkAcks(run *Run, r *report) {
	type place struct{ chat, sender, key string }
	stored := map[place]Message{}
	for _, c := range run.Chats {
		for _, m := range c.Messages {
			stored[place{c.ID, m.SenderID, m.Key}] = m
		}
	}
	sent := map[place]bool{}
	for _, s := range run.Sends {
		at := place{s.ChatID, s.SenderID, s.Key}
		sent[at] = true
		if s.Acked == 0 {
			continue
		}
		m, ok := stored[at]
		switch {
		case !ok:
			r.add("%s was acknowledged at %s/%d and is not stored", s.Key, s.ChatID, s.Seq)
		case m.ID != s.MessageID || m.Seq != s.Seq || m.TS != s.TS:
			r.add("%s was acknowledged as %s at %s/%d, %d and is %s at %d, %d", s.Key, s.MessageID, s.ChatID, s.Seq, s.TS, m.ID, m.Seq, m.TS)
		}
	}
	for at, m := range stored {
		if !sent[at] {
			r.add("%s at %s/%d was sent by nobody", at.key, at.chat, m.Seq)
		}
	}
}
