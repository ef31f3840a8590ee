package presence

import (
	"math/rand/v2"
	"time"
)

// wheel has things come due once in a period, spread over its seconds, at a
// cost that does not depend on how many are not due.
type wheel[K comparable] struct {
	slots []map[K]struct{}
	next  int64 // the first second that was not asked for yet
}

func newWheel[K comparable](period time.Duration) *wheel[K] {
	w := &wheel[K]{slots: make([]map[K]struct{}, max(1, period/time.Second))}
	for i := range w.slots {
		w.slots[i] = map[K]struct{}{}
	}
	return w
}

// add gives k a slot, by lot, and answers which: remove needs it.
func (w *wheel[K]) add(k K) int {
	slot := rand.IntN(len(w.slots))
	w.slots[slot][k] = struct{}{}
	return slot
}

func (w *wheel[K]) remove(k K, slot int) { delete(w.slots[slot], k) }

// due gives what came due since it was last asked, each once, however long ago
// that was.
func (w *wheel[K]) due(now time.Duration) []K {
	second, turn := int64(now/time.Second), int64(len(w.slots))
	var all []K
	for s := max(w.next, second-turn+1); s <= second; s++ {
		for k := range w.slots[s%turn] {
			all = append(all, k)
		}
	}
	w.next = max(w.next, second+1)
	return all
}

// timeline has people come due once, in a given second.
type timeline struct {
	seconds map[int64][]*person
	next    int64 // the first second that was not asked for yet
}

func newTimeline() *timeline { return &timeline{seconds: map[int64][]*person{}} }

// add has p come due in the second after at, or as soon as possible.
func (l *timeline) add(p *person, at time.Duration) {
	second := max(int64(at/time.Second)+1, l.next)
	l.seconds[second] = append(l.seconds[second], p)
}

func (l *timeline) due(now time.Duration) []*person {
	var all []*person
	for ; l.next <= int64(now/time.Second); l.next++ {
		all = append(all, l.seconds[l.next]...)
		delete(l.seconds, l.next)
	}
	return all
}
