package hub

import (
	"context"
	"fmt"
)

const (
	// replayBytes is how much of a replay is queued at once.
	replayBytes = 32 << 10
	// pageEvents is the size of a page of Source.EventsFor.
	pageEvents = 200
)

// page reads events for a member from the source and sends them. Outcome Subscribed means: look
// again.
func (a *attach) page(ctx context.Context) (Attached, error) {
	p, err := a.read(ctx, a.cursor)
	if err != nil {
		return Attached{}, err
	}
	switch {
	case !p.Member:
		return Attached{Outcome: Left}, nil
	case p.AddedSeq > a.Added:
		return Attached{Outcome: MustReset, Seq: p.LastSeq, Reason: ReasonRejoined}, nil
	case p.Trimmed, len(p.Events) > 0 && p.Events[0].Seq != a.cursor+1:
		return Attached{Outcome: MustReset, Seq: p.LastSeq, Reason: ReasonTrimmed}, nil
	case len(p.Events) == 0:
		return Attached{Outcome: MustReset, Seq: p.LastSeq, Reason: ReasonAhead}, nil
	}
	if err := consecutive(p.Events); err != nil {
		return Attached{}, fmt.Errorf("read page of stream: %w", err)
	}
	return a.replayAll(ctx, p.Events)
}

// read reads one page for this user from the source.
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

// tooLarge reports whether the replay up to Position.Last would exceed Position.MaxBytes. It is
// asked before the first frame is queued, so that a client gets either the events or the reset,
// never both.
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

// pagesTooLarge is tooLarge for what the ring cannot be made to hold. Anything else wrong with the
// pages is for the replay to find.
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
