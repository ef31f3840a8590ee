package persistence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

// flushTimeout bounds the commits after Run's context has ended.
const flushTimeout = 10 * time.Second

// Send hands a message to the next group commit and waits for the outcome. When
// ctx ends first the send is not undone: its outcome is unknown to the caller.
func (s *Store) Send(ctx context.Context, m chat.Send) (chat.Sent, error) {
	answer := make(chan outcome, 1)
	s.Enqueue(m, func(sent chat.Sent, err error) { answer <- outcome{sent, err} })
	select {
	case o := <-answer:
		return o.sent, o.err
	case <-ctx.Done():
		return chat.Sent{}, unknownOutcome(fmt.Errorf("send: %w", ctx.Err()))
	}
}

// Enqueue hands a message to the next group commit and calls done with the outcome,
// which must not block: the next group waits for it.
func (s *Store) Enqueue(m chat.Send, done func(chat.Sent, error)) {
	s.stats.accepted.Add(1)
	if err := s.queue.push(newPending(m, done)); err != nil {
		s.stats.accepted.Add(-1)
		done(chat.Sent{}, err)
	}
}

// runBatches commits together what has gathered during the previous commit, until ctx
// ends, and then what is left.
func (s *Store) runBatches(ctx context.Context) {
	work := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		s.queue.gather()
		if s.commitNext(work) {
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
	for s.commitNext(work) {
	}
	s.lanes.running.Wait()
}

// commitNext commits a group and reports whether there was anything in the queue.
func (s *Store) commitNext(ctx context.Context) bool {
	items, more := s.lanes.next(ctx)
	if len(items) > 0 {
		// A chat that somebody else holds must not stall the others.
		s.lanes.enter(ctx, s.commitSends(ctx, &batch{items: items, pool: s.pools.batch, suffix: s.d.skipLocked}))
	}
	return more
}

// batch is sends on their way into one commit.
type batch struct {
	items  []*pending
	pool   *pool
	suffix string // of the statement that locks the chats
	yields bool   // returns its sends if the locks do not come in time
	// late returns up to so many more sends to the locked chats, and other chats to which
	// there are sends; may be nil.
	late func(locked map[string]*stream, room int) (items []*pending, others []string)
}

// commitSends answers every send except those whose chat others have locked,
// which it returns.
func (s *Store) commitSends(ctx context.Context, b *batch) (skipped []*pending) {
	began := time.Now()
	g, err := s.tryGroup(ctx, b)
	if unknown := (*commitError)(nil); errors.As(err, &unknown) {
		// Committed or not, the keys tell: the same again under the lock either
		// finds its own messages or stores them now.
		for _, p := range b.items {
			p.doubt = true
		}
		g, err = s.tryGroup(ctx, b)
	}
	switch {
	case err == nil:
		s.stats.batches.Add(1)
		skipped = g.answer()
		s.observe(began, b.items, len(skipped))
		return skipped
	case b.yields && s.d.lockTimedOut(err):
		return b.items
	case len(b.items) == 1 || s.hopeless(err) || b.items[0].doubt:
		return s.refuse(b.items, s.mapError(err, "store messages"))
	}
	s.stats.bisections.Add(1)
	s.log.Warn("the database refused a group of sends: splitting it", "sends", len(b.items), "error", err)
	half := len(b.items) / 2
	for _, items := range [][]*pending{b.items[:half], b.items[half:]} {
		free, behind := follow(items, skipped)
		skipped = append(skipped, behind...)
		if len(free) > 0 {
			skipped = append(skipped, s.commitSends(ctx, &batch{items: free, pool: b.pool, suffix: b.suffix, yields: b.yields})...)
		}
	}
	return skipped
}

// follow parts sends from those to chats of which an earlier one was skipped: the lock may be
// free by now, and yet a chat's sends keep their order.
func follow(items, skipped []*pending) (free, behind []*pending) {
	held := map[string]bool{}
	for _, p := range skipped {
		held[p.send.ChatID] = true
	}
	for _, p := range items {
		if held[p.send.ChatID] {
			behind = append(behind, p)
		} else {
			free = append(free, p)
		}
	}
	return free, behind
}

// hopeless reports whether an error is about the database rather than a send.
func (s *Store) hopeless(err error) bool {
	class := s.d.classify(err)
	return class == failUnavailable || class == failRetry ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// refuse answers sends that were not stored, as far as anybody knows.
func (s *Store) refuse(items []*pending, err error) []*pending {
	s.stats.sends.Add(int64(len(items)))
	for _, p := range items {
		if p.doubt {
			p.done(chat.Sent{}, unknownOutcome(err))
			continue
		}
		p.done(chat.Sent{}, err)
	}
	return nil
}

// tryGroup commits one group. Every attempt starts afresh from the sends.
func (s *Store) tryGroup(ctx context.Context, b *batch) (g *group, err error) {
	err = s.retry(ctx, false, func() error {
		return s.write(ctx, b.pool, func(c *conn) ([]chat.Event, error) {
			err := contained(func() error {
				g = newGroup(s, b)
				return g.store(ctx, c)
			})
			return g.events, err
		})
	})
	return g, err
}
