package check

import (
	"cmp"
	"slices"
)

// checkAcks: an acknowledged message is stored as it was acknowledged, and
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
			r.add("%s was acknowledged at %s/%d but is not stored", s.Key, s.ChatID, s.Seq)
		case m.ID != s.MessageID || m.Seq != s.Seq || m.TS != s.TS:
			r.add("%s was acknowledged as %s at %s/%d, time %d, but is %s at %d, time %d",
				s.Key, s.MessageID, s.ChatID, s.Seq, s.TS, m.ID, m.Seq, m.TS)
		}
	}
	for at, m := range stored {
		if !sent[at] {
			r.add("%s at %s/%d was sent by nobody", at.key, at.chat, m.Seq)
		}
	}
}

// checkOrder: of two sends to a chat, the one acknowledged before the other began
// has the smaller seq.
func checkOrder(run *Run, r *report) {
	chats := map[string][]Send{}
	for _, s := range run.Sends {
		if s.Acked > 0 {
			chats[s.ChatID] = append(chats[s.ChatID], s)
		}
	}
	for _, begun := range chats {
		acked := slices.Clone(begun)
		slices.SortFunc(acked, func(a, b Send) int { return cmp.Compare(a.Acked, b.Acked) })
		slices.SortFunc(begun, func(a, b Send) int { return cmp.Compare(a.Begun, b.Begun) })
		var before Send // the one with the greatest seq among those acknowledged so far
		for _, s := range begun {
			for len(acked) > 0 && acked[0].Acked < s.Begun {
				if acked[0].Seq > before.Seq {
					before = acked[0]
				}
				acked = acked[1:]
			}
			if s.Seq < before.Seq {
				r.add("%s got seq %d of %s although it began at %s, after the ack of seq %d at %s",
					s.Key, s.Seq, s.ChatID, s.Begun, before.Seq, before.Acked)
			}
		}
	}
}
