package persistence

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// lanes hold the sends to chats that somebody else has locked: they must not stall the
// others. They share one lane, the turn, whose groups wait for the locks, and so do those
// of other nodes: nodes that write in the same chats take turns, each with all that has
// gathered. A chat that is held for longer gets a lane of its own.
//
// A send follows those before it into their lane, since a chat's sends keep their order.
type lanes struct {
	s       *Store
	running sync.WaitGroup

	mu    sync.Mutex
	turn  lane
	until map[string]time.Time // by chat that waits its turn
	own   map[string]*lane     // by chat
	held  int                  // sends in all lanes
}

// lane is sends in the order of arrival. A goroutine, which lives only while there are
// any, commits them.
type lane struct {
	chat    string // whose own lane it is; empty for the turn
	waiting []*pending
	open    bool
}

func newLanes(s *Store) *lanes {
	return &lanes{s: s, until: map[string]time.Time{}, own: map[string]*lane{}}
}

// next removes a group from the queue, without the sends that join a lane, and reports
// whether there was anything.
func (l *lanes) next(ctx context.Context) (items []*pending, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	items = l.s.queue.pop(l.s.cfg.BatchSize)
	more = len(items) > 0
	now := time.Now()
	return slices.DeleteFunc(items, func(p *pending) bool {
		of := l.of(p.send.ChatID, now)
		if of != nil {
			l.join(ctx, of, p)
		}
		return of != nil
	}), more
}

// of returns the lane of a chat, or nil if its sends are free.
func (l *lanes) of(chat string, now time.Time) *lane {
	if own := l.own[chat]; own != nil {
		return own
	}
	if until, waits := l.until[chat]; waits && (l.turn.open || !now.After(until)) {
		return &l.turn
	}
	delete(l.until, chat) // or a turn that begins later would overtake what is free now
	return nil
}

// join refuses what does not fit: sends to a chat that is held pile up.
func (l *lanes) join(ctx context.Context, to *lane, p *pending) {
	if l.held >= l.s.queue.limit {
		l.s.refuse([]*pending{p}, overloaded())
		return
	}
	l.add(ctx, to, p)
}

func (l *lanes) add(ctx context.Context, to *lane, p *pending) {
	l.held++
	to.waiting = append(to.waiting, p)
	if !to.open {
		to.open = true
		l.running.Go(func() { l.run(ctx, to) })
	}
}

// enter makes sends whose chats others have locked wait their turn.
func (l *lanes) enter(ctx context.Context, skipped []*pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := time.Now().Add(l.s.cfg.contention)
	for _, p := range skipped {
		if id := p.send.ChatID; l.until[id] != until {
			l.until[id] = until
			l.s.stats.skips.Add(1)
		}
		l.add(ctx, &l.turn, p)
	}
}

// run commits what waits in a lane.
func (l *lanes) run(ctx context.Context, of *lane) {
	late := func(locked map[string]*stream, room int) ([]*pending, []string) { return l.late(ctx, of, locked, room) }
	for items := l.begin(of); len(items) > 0; items = l.begin(of) {
		b := &batch{items: items, pool: l.s.pools.lane, suffix: l.s.d.lock, late: late}
		if of.chat != "" {
			l.s.commitSends(ctx, b)
			continue
		}
		b.pool, b.yields = l.s.pools.turn, true
		l.s.stats.turns.Add(1)
		if held := l.s.commitSends(ctx, b); len(held) > 0 {
			l.leaveTurn(ctx, l.s.commitSends(ctx, &batch{items: held, pool: l.s.pools.batch, suffix: l.s.d.skipLocked}))
		}
	}
}

// begin takes a group out of a lane, and closes an empty one.
func (l *lanes) begin(of *lane) []*pending {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(of.waiting), l.s.cfg.BatchSize)
	items := of.waiting[:n:n]
	of.waiting = of.waiting[n:]
	l.held -= n
	if n == 0 {
		of.open, of.waiting = false, nil
		delete(l.own, of.chat)
	}
	if now := time.Now(); !l.turn.open {
		maps.DeleteFunc(l.until, func(_ string, until time.Time) bool { return now.After(until) })
	}
	return items
}

// late takes from a lane, now that chats are locked, what has come to them during the wait
// for the locks: it need not wait for the next turn. others are chats that wait, too.
func (l *lanes) late(ctx context.Context, from *lane, locked map[string]*stream, room int) (items []*pending, others []string) {
	l.s.queue.gather()
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, p := range l.s.queue.take(func(p *pending) bool { return l.of(p.send.ChatID, now) == from }) {
		l.join(ctx, from, p)
	}
	from.waiting = slices.DeleteFunc(from.waiting, func(p *pending) bool {
		switch {
		case locked[p.send.ChatID] == nil:
			others = append(others, p.send.ChatID)
		case len(items) < room:
			items = append(items, p)
			return true
		}
		return false
	})
	l.held -= len(items)
	return items, others
}

// leaveTurn gives chats whose locks have not come lanes of their own, with all that waits
// for them.
func (l *lanes) leaveTurn(ctx context.Context, held []*pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range held {
		id := p.send.ChatID
		if l.own[id] == nil {
			l.own[id] = &lane{chat: id}
			l.s.stats.lanes.Add(1)
		}
		delete(l.until, id)
		l.add(ctx, l.own[id], p)
	}
	l.turn.waiting = slices.DeleteFunc(l.turn.waiting, func(p *pending) bool {
		own := l.own[p.send.ChatID]
		if own != nil {
			l.held--
			l.add(ctx, own, p)
		}
		return own != nil
	})
}
