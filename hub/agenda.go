package hub

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// agenda holds what streams have to do later. Run works it off.
type agenda struct {
	mu    sync.Mutex
	items agendaHeap
	wake  chan struct{} // a token when the first item has become an earlier one
}

type dueKind uint8

const (
	dueRepair dueKind = iota
	dueLinger
)

type agendaItem struct {
	at     time.Time
	stream *stream
	kind   dueKind
}

// add schedules an item. It may be called under any lock.
func (a *agenda) add(s *stream, kind dueKind, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	heap.Push(&a.items, agendaItem{at, s, kind})
	if a.items[0].at.Equal(at) {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// due takes out the items up to now and returns how long to wait for the next one.
func (a *agenda) due(now time.Time) (items []agendaItem, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.items) > 0 && !a.items[0].at.After(now) {
		items = append(items, heap.Pop(&a.items).(agendaItem))
	}
	if len(a.items) == 0 {
		return items, time.Hour
	}
	return items, a.items[0].at.Sub(now)
}

// runAgenda does what is due until ctx ends.
func (h *Hub) runAgenda(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.agenda.wake:
		case <-t.C:
		}
		items, wait := h.agenda.due(time.Now())
		for _, i := range items {
			h.runItem(ctx, i)
		}
		t.Reset(wait)
	}
}

func (h *Hub) runItem(ctx context.Context, i agendaItem) {
	switch i.kind {
	case dueRepair:
		h.tasks.start(func() { h.repair(ctx, i.stream) })
	case dueLinger:
		h.retire(i.stream, time.Now())
	}
}

// agendaHeap orders items by time, for container/heap.
type agendaHeap []agendaItem

func (a agendaHeap) Len() int           { return len(a) }
func (a agendaHeap) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agendaHeap) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agendaHeap) Push(x any)        { *a = append(*a, x.(agendaItem)) }

func (a *agendaHeap) Pop() any {
	old := *a
	last := len(old) - 1
	item := old[last]
	old[last] = agendaItem{}
	*a = old[:last]
	return item
}
