package presence

import (
	"math/rand/v2"
	"time"
)

// wheel makes things come due once per period, spread over its seconds. Its cost
// does not depend on how many are not due.
type wheel[K comparable] struct {
	slots []map[K]struct{}
	next  int64 // the first second not yet asked for
}

func newWheel[K comparable](period time.Duration) *wheel[K] {
	w := &wheel[K]{slots: make([]map[K]struct{}, max(1, period/time.Second))}
	for i := range w.slots {
		w.slots[i] = map[K]struct{}{}
	}
	return w
}

// add puts k into a random slot and returns it: remove needs it.
func (w *wheel[K]) add(k K) int {
	slot := rand.IntN(len(w.slots))
	w.slots[slot][k] = struct{}{}
	return slot
}

func (w *wheel[K]) remove(k K, slot int) { delete(w.slots[slot], k) }

// due returns what came due since the last call, each once, however long ago that
// was.
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

// agenda makes people come due once, in a given second.
type agenda struct {
	seconds map[int64][]*person
	next    int64 // the first second not yet asked for
}

func newAgenda() *agenda { return &agenda{seconds: map[int64][]*person{}} }

// add makes p come due in the second after at, or as soon as possible.
func (a *agenda) add(p *person, at time.Duration) {
	second := max(int64(at/time.Second)+1, a.next)
	a.seconds[second] = append(a.seconds[second], p)
}

func (a *agenda) due(now time.Duration) []*person {
	var all []*person
	for ; a.next <= int64(now/time.Second); a.next++ {
		all = append(all, a.seconds[a.next]...)
		delete(a.seconds, a.next)
	}
	return all
}
