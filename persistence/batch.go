package persistence

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"fechatter/chat"
)

const (
	// maxSkips is how often a chat is left to the next batch because someone
	// else holds its lock, before it gets a lane.
	maxSkips = 3
	// flushTimeout bounds the commits after the end of Run's context.
	flushTimeout = 10 * time.Second
)

// counters are the store's figures; see Stats.
type counters struct {
	accepted, batches, sends, bisections, skips, lanes, cursorBatches atomic.Int64
}

// Stats are figures since the store was opened, but Queued and Waiting, which are of now.
type Stats struct {
	Batches    int64 // group commits
	Sends      int64 // sends that they answered
	Bisections int64 // groups split because of a send that the database refused
	Skips      int64 // chats left to the next group because their lock was held
	Lanes      int64 // chats that waited for their lock alone
	Cursors    int64 // commits of cursors
	Queued     int   // sends that no group has taken yet
	Waiting    int64 // sends accepted and not answered yet, the queued ones among them
}

// Stats may be called at any time.
func (s *Store) Stats() Stats {
	return Stats{Batches: s.stats.batches.Load(), Sends: s.stats.sends.Load(), Bisections: s.stats.bisections.Load(),
		Skips: s.stats.skips.Load(), Lanes: s.stats.lanes.Load(), Cursors: s.stats.cursorBatches.Load(), Queued: s.queue.length(),
		Waiting: s.stats.accepted.Load() - s.stats.sends.Load()}
}

// Send hands a message to the next group commit and waits for it. A caller
// whose ctx ends does not undo the send: the outcome is unknown to them.
func (s *Store) Send(ctx context.Context, m chat.Send) (chat.Sent, error) {
	p := newPending(m)
	s.stats.accepted.Add(1)
	if err := s.queue.push(p); err != nil {
		s.stats.accepted.Add(-1)
		return chat.Sent{}, err
	}
	select {
	case o := <-p.done:
		return o.sent, o.err
	case <-ctx.Done():
		return chat.Sent{}, unknownOutcome(fmt.Errorf("send: %w", ctx.Err()))
	}
}

// batcher takes what has gathered while the commit before ran and commits it
// together. One goroutine runs it, and one for each lane.
type batcher struct {
	s     *Store
	held  []*pending     // skipped by the group before: they go first
	skips map[string]int // by chat, in a row
	wait  sync.WaitGroup

	mu    sync.Mutex
	lanes map[string][]*pending // what waits for a chat that is in a lane
}

// runBatches commits until ctx ends and then what is left.
func (s *Store) runBatches(ctx context.Context) {
	b := &batcher{s: s, skips: map[string]int{}, lanes: map[string][]*pending{}}
	work := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		s.queue.settle()
		if items := b.next(); len(items) > 0 || len(b.held) > 0 {
			b.run(work, items)
			continue
		}
		select {
		case <-s.queue.wake:
		case <-ctx.Done():
		}
	}
	s.queue.close()
	work, cancel := context.WithTimeout(work, flushTimeout)
	defer cancel()
	for items := b.next(); len(items) > 0 || len(b.held) > 0 || s.queue.length() > 0; items = b.next() {
		b.run(work, items)
	}
	b.wait.Wait()
}

// next gathers a group: what was held back, then the queue. A chat that is in a
// lane keeps its sends together, in their order, there.
func (b *batcher) next() []*pending {
	items := append(b.held, b.s.queue.take(b.s.cfg.BatchSize-len(b.held))...)
	b.held = nil
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lanes) == 0 {
		return items
	}
	free := items[:0:0]
	for _, p := range items {
		if _, ok := b.lanes[p.send.ChatID]; ok {
			b.lanes[p.send.ChatID] = append(b.lanes[p.send.ChatID], p)
		} else {
			free = append(free, p)
		}
	}
	return free
}

func (b *batcher) run(ctx context.Context, items []*pending) {
	if len(items) == 0 {
		return
	}
	skipped := b.s.commitSends(ctx, b.s.pools.batch, items, b.s.d.passOver())
	counted := map[string]bool{}
	for _, p := range skipped {
		id := p.send.ChatID
		if !counted[id] {
			counted[id] = true
			b.skips[id]++
			b.s.stats.skips.Add(1)
		}
		if b.skips[id] < maxSkips {
			b.held = append(b.held, p)
		} else {
			b.enterLane(ctx, p)
		}
	}
	for id := range b.skips {
		if !counted[id] || b.skips[id] >= maxSkips {
			delete(b.skips, id)
		}
	}
}

// enterLane lets a chat wait for its lock on a connection of its own.
func (b *batcher) enterLane(ctx context.Context, p *pending) {
	id := p.send.ChatID
	b.mu.Lock()
	defer b.mu.Unlock()
	waiting, open := b.lanes[id]
	b.lanes[id] = append(waiting, p)
	if open {
		return
	}
	b.s.stats.lanes.Add(1)
	b.wait.Go(func() {
		for items := b.leaveLane(id); len(items) > 0; items = b.leaveLane(id) {
			b.s.commitSends(ctx, b.s.pools.lane, items, b.s.d.lock)
		}
	})
}

// leaveLane takes what waits in a lane, and closes it when that is nothing.
func (b *batcher) leaveLane(id string) []*pending {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.lanes[id]
	n := min(len(items), b.s.cfg.BatchSize)
	if n == 0 {
		delete(b.lanes, id)
		return nil
	}
	b.lanes[id] = items[n:]
	return items[:n:n]
}

// commitSends answers every send but those whose chat was locked by others,
// which it gives back.
func (s *Store) commitSends(ctx context.Context, p *pool, items []*pending, suffix string) (skipped []*pending) {
	began := time.Now()
	g, err := s.tryGroup(ctx, p, items, suffix)
	if unknown := (*commitError)(nil); errors.As(err, &unknown) {
		// Committed or not, the keys tell: the same again under the lock either
		// finds its own messages or stores them now.
		if g, err = s.tryGroup(ctx, p, items, suffix); err != nil {
			return s.refuse(items, unknownOutcome(err))
		}
	}
	switch {
	case err == nil:
		s.stats.batches.Add(1)
		skipped = g.answer()
		s.tell(began, items, len(skipped))
		return skipped
	case len(items) == 1 || s.hopeless(err):
		return s.refuse(items, s.mapError(err, "store messages"))
	}
	s.stats.bisections.Add(1)
	s.log.Warn("a group of sends was refused and is split", "sends", len(items), "error", err)
	half := len(items) / 2
	skipped = s.commitSends(ctx, p, items[:half], suffix)
	return append(skipped, s.commitSends(ctx, p, items[half:], suffix)...)
}

// hopeless says whether an error is about the database and not about a send.
func (s *Store) hopeless(err error) bool {
	class := s.d.classify(err)
	return class == failUnavailable || class == failRetry ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func (s *Store) refuse(items []*pending, err error) []*pending {
	s.stats.sends.Add(int64(len(items)))
	for _, p := range items {
		p.answer(chat.Sent{}, err)
	}
	return nil
}

// tryGroup commits one group. Every attempt starts from nothing but the sends.
func (s *Store) tryGroup(ctx context.Context, p *pool, items []*pending, suffix string) (g *group, err error) {
	err = s.retry(ctx, false, func() error {
		g = newGroup(s, items)
		return s.write(ctx, p, func(c *conn) ([]chat.Event, error) {
			err := contained(func() error { return g.store(ctx, c, suffix) })
			return g.events, err
		})
	})
	return g, err
}
