package hub

import (
	"context"
	"slices"
	"time"
)

// The position check compares streams with the database, so that a lost bus event is noticed even
// if none follows.

// checkTicks is how often within Config.CheckEvery the check looks for streams that are due: more
// often costs more, for each look visits all streams and ends in a read. checkShare leaves room for
// a look, for jitter and for the repair.
const (
	checkTicks = 10
	checkShare = 0.8
)

// checkDelay returns the time to the next check for an interval, shortened at random.
func (h *Hub) checkDelay(interval time.Duration) time.Duration {
	return jitter(time.Duration(float64(interval) * checkShare))
}

// runChecks drives the position check until ctx ends.
func (h *Hub) runChecks(ctx context.Context) {
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
			h.log.Warn("position check failed; will retry", "error", err)
		}
		failed = err != nil
	}
}

// checkRound compares what is due. It ends with the first read that fails: what was not read stays
// due. A node that follows nothing still asks for the epoch, because others judge by it what the
// node publishes.
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

// awaitCheck waits for the next round; all means that every stream is due. A node too slow for its
// bus asks for that again and again, and would be slower still if it got it: it has to rest after
// each such round.
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

// dueStreams returns the streams whose position is to be compared.
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
	stamp   int64 // of the event at head
	history uint32
}

func (h *Hub) checkChunk(ctx context.Context, round time.Time, chunk []*stream) error {
	ids, before := h.observe(chunk, round)
	if len(ids) == 0 {
		return nil
	}
	now, ends, err := h.readPositions(ctx, ids)
	if err != nil && ctx.Err() != nil {
		return nil //nolint:nilerr // Run ends
	}
	if err != nil {
		h.stats.positionErrors.Add(1)
		h.postpone(chunk)
		return err
	}
	h.learn(now)
	h.epochRead = round
	for _, b := range before {
		if end, ok := ends[b.stream.id]; ok {
			b.stream.compare(b, end, time.Now())
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

// observe notes the positions of streams that somebody needs, sets their next check and frees idle
// rings.
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
	return seen{s, s.seq.head(), s.stamp, s.history}, s.seq.placed() && s.wanted()
}

// backOff sets the next check: later and later for a chat in which nothing happens. A personal
// stream never backs off: a revoked session and an invitation are seen within Config.CheckEvery.
func (s *stream) backOff(now time.Time) {
	base, idle := s.hub.cfg.CheckEvery, s.hub.cfg.CheckIdle
	switch {
	case s.personal || s.checkedHead != s.seq.head() || idle < base:
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

// compare applies the database's position of a stream, read after b was seen.
func (s *stream) compare(b seen, end End, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case b.history != s.history:
	case end.Seq < b.head:
		s.reset(ReasonAhead, now)
	case end.Seq == b.head && b.stamp != 0 && end.Stamp != 0 && end.Stamp != b.stamp:
		s.expose(b.head, now)
	default:
		s.seq.expect(end.Seq)
		s.followUp(now)
	}
}
