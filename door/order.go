package door

import "container/list"

// heaviest is a heap of addresses: first that with most waiting strangers, then that with
// most others who wait; of equals that where somebody has waited longest.
type heaviest []*group

func (h heaviest) Len() int { return len(h) }

func (h heaviest) Less(i, j int) bool {
	if n, m := h[i].strangers.Len(), h[j].strangers.Len(); n != m {
		return n > m
	}
	if n, m := h[i].known.Len(), h[j].known.Len(); n != m {
		return n > m
	}
	return h[i].since() < h[j].since()
}

// since returns when the next to leave began to wait, by the door's clock.
func (g *group) since() int64 {
	for _, waiting := range []*list.List{&g.strangers, &g.known} {
		if s, ok := waitingFirst(waiting); ok {
			return s.since
		}
	}
	return 0
}

func waitingFirst(waiting *list.List) (*Socket, bool) {
	if waiting.Len() == 0 {
		return nil, false
	}
	s, ok := waiting.Front().Value.(*Socket)
	return s, ok
}

func (h heaviest) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for container/heap.
func (h *heaviest) Push(x any) {
	g, _ := x.(*group)
	g.index = len(*h)
	*h = append(*h, g)
}

// Pop is for container/heap.
func (h *heaviest) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return g
}
