//go:build !mutate_check_order

package check

import (
	"cmp"
	"slices"
)

// checkOrder: a send that was acknowledged before another of its chat was begun
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
		var before Send // of those acknowledged so far, the one with the greatest seq
		for _, s := range begun {
			for len(acked) > 0 && acked[0].Acked < s.Begun {
				if acked[0].Seq > before.Seq {
					before = acked[0]
				}
				acked = acked[1:]
			}
			if s.Seq < before.Seq {
				r.add("%s got seq %d of %s though it was begun at %s, after the ack of seq %d at %s",
					s.Key, s.Seq, s.ChatID, s.Begun, before.Seq, before.Acked)
			}
		}
	}
}
