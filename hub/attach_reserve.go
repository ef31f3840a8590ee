package hub

import "context"

// reserve makes this the only Attach of the connection to the stream, or reports that it is already
// subscribed, with the stream's head. was tells where an earlier subscription ended.
func (a *attach) reserve(ctx context.Context) (was ending, head int64, already bool, err error) {
	for {
		r, was, err := a.c.reserve(a.s)
		switch {
		case err != nil || r == reserved:
			return was, 0, false, err
		case r == wait:
			err = a.lastFrames(ctx)
		default:
			err = a.reach(ctx, a.Last)
		}
		if err != nil {
			return was, 0, false, err
		}
		if head, ok := a.s.renew(a.c, a.Added); ok {
			return was, head, true, nil
		}
	}
}

// overtaken accounts for what the connection was sent after the caller read the position. It
// reports whether the user has been removed since.
func (a *attach) overtaken(was ending) (removed bool) {
	if was.era != a.era {
		return false
	}
	if was.removed && was.seq > a.Added {
		return true
	}
	a.cursor = max(a.cursor, was.seq)
	return false
}

// remember notes how far an Attach came that did not subscribe.
func (a *attach) remember(done Attached, err error) {
	if a.bytes > 0 && (err != nil || done.Outcome != Subscribed) {
		a.c.abandon(a.s, ending{seq: a.cursor, removed: done.Outcome == Left && done.Seq > 0, era: a.era})
	}
}

// lastFrames waits until the last frames of an ended subscription are written.
func (a *attach) lastFrames(ctx context.Context) error {
	round := a.s.roundEnd()
	if !a.c.isLeaving(a.s) {
		return nil
	}
	return a.await(ctx, round)
}
