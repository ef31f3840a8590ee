package hub

import (
	"context"
	"fmt"
)

// tooLarge reports whether the replay up to Position.Last would pass Position.MaxBytes. It is asked before the first
// frame is queued, so that a client is told either the events or the reset, never both.
func (a *attach) tooLarge(ctx context.Context) (bool, error) {
	if a.MaxBytes <= 0 || a.cursor >= a.Last {
		return false, nil
	}
	if err := a.reach(ctx, a.Last); err != nil {
		return false, err
	}
	size, head, ok := a.s.size(a.cursor, a.Last)
	if !ok && a.near(head) {
		var err error
		if a.loaded, err = a.hub.load(ctx, a.s, a.cursor); err != nil {
			return false, err
		}
		size, _, ok = a.s.size(a.cursor, a.Last)
	}
	if !ok {
		return a.pagesTooLarge(ctx)
	}
	return size > a.MaxBytes, nil
}

// size adds up the data of the events after one seq up to another. ok is false when the ring does not hold them all.
func (s *stream) size(after, last int64) (size int, head int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, ok = s.ring.size(after, last)
	return size, s.seq.head(), ok
}

// pagesTooLarge is tooLarge for what the ring cannot be made to hold. Whatever else is wrong with the pages is for the
// replay to find.
func (a *attach) pagesTooLarge(ctx context.Context) (bool, error) {
	size, cursor := 0, a.cursor
	for cursor < a.Last {
		p, err := a.read(ctx, cursor)
		if err != nil || len(p.Events) == 0 {
			return false, err
		}
		for _, e := range upTo(p.Events, a.Last) {
			size += len(e.Data)
		}
		if size > a.MaxBytes {
			return true, nil
		}
		cursor = p.Events[len(p.Events)-1].Seq
	}
	return false, nil
}

// read is one page of the source for this user.
func (a *attach) read(ctx context.Context, after int64) (Page, error) {
	a.hub.stats.pageReads.Add(1)
	ctx, cancel := context.WithTimeout(ctx, a.hub.cfg.SourceTimeout)
	defer cancel()
	p, err := a.hub.src.EventsFor(ctx, a.c.user, a.Stream, after, pageEvents)
	if err != nil {
		return Page{}, fmt.Errorf("read page of stream: %w", err)
	}
	return p, nil
}
