package hub

import (
	"context"
	"fmt"
)

// page reads events of a member from the source and sends them. Outcome Subscribed means: look again.
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
	events, err := consecutive(p.Events)
	if err != nil {
		return Attached{}, fmt.Errorf("read page of stream: %w", err)
	}
	done, err := a.replayAll(ctx, events)
	return done, err
}

// replayAll is replay in portions.
func (a *attach) replayAll(ctx context.Context, events []Event) (Attached, error) {
	for len(events) > 0 {
		n, size := 0, 0
		for n < len(events) && (n == 0 || size+len(events[n].Data) <= replayBytes) {
			size += len(events[n].Data)
			n++
		}
		done, err := a.replay(ctx, events[:n])
		if err != nil || done.Outcome == Left {
			return done, err
		}
		events = events[n:]
	}
	return Attached{}, nil
}
