package hub

import "context"

// reserve makes this the only Attach of the connection to the stream, or answers that there is nothing to do. was
// tells where an earlier subscription ended.
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

// overtaken takes in what the connection was sent after the caller had read the position. True: its user was removed.
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

func (s *stream) currentEra() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.era
}

// lastFrames waits until an ended subscription has its last frames written.
func (a *attach) lastFrames(ctx context.Context) error {
	round := a.s.roundEnd()
	if !a.c.isLeaving(a.s) {
		return nil
	}
	return a.await(ctx, round)
}

// renew confirms a subscription that exists, under the membership that the caller has read.
func (s *stream) renew(c *Conn, added int64) (head int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.subs.list {
		if s.subs.list[i].conn == c {
			if s.subs.list[i].added < added {
				s.subs.own(0)
				s.subs.list[i].added = added
			}
			return s.seq.head(), true
		}
	}
	return 0, false
}
