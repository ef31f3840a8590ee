package hub

import (
	"context"
	"slices"
	"time"
)

// The position check compares streams with the database, so that a lost bus event is noticed without a later one.

// checkTicks is how often within Config.CheckEvery the check looks for streams that are due: more often costs more, for
// each look passes over all streams and ends in a read. checkShare leaves room for a look, for jitter and for the repair.
const (
	checkTicks = 10
	checkShare = 0.8
)

// checkDelay answers the time to the next check for an interval, jittered downwards.
func (h *Hub) checkDelay(interval time.Duration) time.Duration {
	return jitter(time.Duration(float64(interval) * checkShare))
}

// check drives the position check until ctx ends.
func (h *Hub) check(ctx context.Context) {
	failed := false
	var rest time.Time
	for {
		all, ok := h.awaitCheck(ctx, &rest)
		if !ok {
			return
		}
		h.rejoin()
		err := h.checkRound(ctx, time.Now(), all)
		if err != nil && !failed {
			h.log.Warn("position check failed; trying on", "error", err)
		}
		failed = err != nil
	}
}

// checkRound compares what is due. It ends with the first read that fails: what was not read stays due. A node that
// follows nothing asks for the epoch alone, for the others judge by it what it publishes.
func (h *Hub) checkRound(ctx context.Context, now time.Time, all bool) error {
	for chunk := range slices.Chunk(h.dueStreams(now, all), h.cfg.CheckChunk) {
		if err := h.checkChunk(ctx, now, chunk); err != nil {
			return err
		}
	}
	if now.Sub(h.epochRead) < h.cfg.CheckIdle {
		return nil
	}
	h.epochRead = now
	epoch, err := h.readEpoch(ctx)
	if err == nil {
		h.learn(epoch)
	}
	return err
}

// awaitCheck waits for the next round; all says that every stream is due. A node that is too slow for its bus asks for
// that again and again, and would be slower still if it got it: after each such round it has to rest.
func (h *Hub) awaitCheck(ctx context.Context, rest *time.Time) (all, ok bool) {
	wait, all := h.cfg.CheckEvery/checkTicks, false
	if h.lost.Load() {
		wait, all = h.cfg.CheckLost, true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false, false
	case <-t.C:
		return all, true
	case <-h.checkNow:
	}
	t.Reset(time.Until(*rest))
	select {
	case <-ctx.Done():
		return false, false
	case <-t.C:
		*rest = time.Now().Add(h.cfg.CheckLost)
		return true, true
	}
}

// dueStreams answers the streams whose position is to be compared.
func (h *Hub) dueStreams(now time.Time, all bool) (due []*stream) {
	h.streams.each(func(s *stream) {
		if all || s.checkAt.Load() <= now.UnixNano() {
			due = append(due, s)
		}
	})
	return due
}

// seen is a stream's position just before the database is asked.
type seen struct {
	stream  *stream
	head    int64
	history uint32
}

func (h *Hub) checkChunk(ctx context.Context, round time.Time, chunk []*stream) error {
	ids, before := h.observe(chunk, round)
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.SourceTimeout)
	defer cancel()
	now, last, err := h.src.Positions(ctx, ids)
	if err != nil && ctx.Err() == context.Canceled {
		return nil // Run ends
	}
	if err != nil {
		h.stats.positionErrors.Add(1)
		h.postpone(chunk)
		return err
	}
	h.learn(now)
	h.epochRead = round
	for _, b := range before {
		if seq, ok := last[b.stream.id]; ok {
			b.stream.compare(b, seq, time.Now())
		}
	}
	return nil
}

// postpone makes streams that could not be compared due again soon.
func (h *Hub) postpone(chunk []*stream) {
	soon := time.Now().Add(h.cfg.CheckLost).UnixNano()
	for _, s := range chunk {
		s.checkAt.Store(soon)
	}
}

// observe notes the positions of streams with subscribers, sets their next check and frees rings without use.
func (h *Hub) observe(chunk []*stream, now time.Time) (ids []string, before []seen) {
	for _, s := range chunk {
		if b, ok := s.observe(now); ok {
			ids = append(ids, s.id)
			before = append(before, b)
		}
	}
	return ids, before
}

func (s *stream) observe(now time.Time) (seen, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backOff(now)
	if s.ring.n > 0 && now.Sub(s.lastEvent) > s.hub.cfg.RingIdle {
		s.clearRing()
	}
	return seen{s, s.seq.head(), s.history}, s.seq.placed() && s.wanted()
}

// backOff sets the next check: later and later for a chat in which nothing happens.
func (s *stream) backOff(now time.Time) {
	base, idle := s.hub.cfg.CheckEvery, s.hub.cfg.CheckIdle
	switch {
	case s.personal && personalIsEager || s.checkedHead != s.seq.head() || idle < base:
		s.interval = base
	default:
		s.interval = min(2*s.interval, idle)
	}
	s.checkedHead = s.seq.head()
	s.checkAt.Store(now.Add(s.hub.checkDelay(s.interval)).UnixNano())
}

// quicken ends the back-off: something happens.
func (s *stream) quicken(now time.Time) {
	if base := s.hub.cfg.CheckEvery; s.interval > base {
		s.interval = base
		s.checkAt.Store(min(s.checkAt.Load(), now.Add(s.hub.checkDelay(base)).UnixNano()))
	}
}

// compare takes in the database's position of a stream, read after b was seen.
func (s *stream) compare(b seen, last int64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case b.history != s.history:
	case last < b.head:
		s.reset(ReasonAhead, now)
	default:
		s.seq.expect(last)
		s.settle(now)
	}
}
