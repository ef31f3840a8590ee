package hub

import "bytes"

// sequencer puts the events of one stream in order. It is a state machine without a clock, a lock
// or a goroutine: events go in through offer, deliverable ones come out of offer and pop, and hole
// reports whether any are missing.
type sequencer struct {
	next    int64 // the seq to deliver; 0 while the position is not known
	known   int64 // the highest seq that the database was seen to have
	claimed int64 // the highest seq announced that is neither held nor proved
	held    map[int64]heldEvent
	bytes   int

	// As of the start of the latest repair: the number of repairs, to tell what was held before
	// it, and the two marks.
	round                    int
	askedKnown, askedClaimed int64

	maxEvents, maxBytes int
}

type heldEvent struct {
	Event
	round int
}

// verdict is what becomes of an offered event.
type verdict uint8

const (
	dropped verdict = iota // already delivered or held
	deliver                // the next one: the caller delivers it, then everything pop returns
	held                   // kept, or noted, until its predecessors have come
)

// placed reports whether the position is known.
func (q *sequencer) placed() bool { return q.next > 0 }

// head returns the last seq delivered.
func (q *sequencer) head() int64 { return q.next - 1 }

// place sets the position: seq counts as delivered. What was held up to it is dropped.
func (q *sequencer) place(seq int64) {
	q.next = seq + 1
	for s, e := range q.held {
		if s <= seq {
			q.drop(e)
		}
	}
}

// forget returns to the unknown position with nothing held.
func (q *sequencer) forget() {
	*q = sequencer{round: q.round, maxEvents: q.maxEvents, maxBytes: q.maxBytes}
}

// offer accepts an event from the bus, from a local commit or from a repair.
func (q *sequencer) offer(e Event) verdict {
	switch {
	case q.placed() && e.Seq < q.next:
		return dropped
	case q.placed() && e.Seq == q.next:
		q.next++
		return deliver
	}
	if was, ok := q.held[e.Seq]; ok {
		return q.again(was, e)
	}
	q.hold(e)
	return held
}

// again accepts an event whose seq is held already. If they differ, the database decides: what was
// only heard makes room for what is certain, and if both were heard, neither is kept.
func (q *sequencer) again(was heldEvent, e Event) verdict {
	if was.origin != heard || was.Stamp == e.Stamp && bytes.Equal(was.Data, e.Data) {
		return dropped
	}
	q.drop(was)
	if e.origin == heard {
		q.claim(e.Seq)
	} else {
		q.hold(e)
	}
	return held
}

// pop returns the next event if it is held.
func (q *sequencer) pop() (Event, bool) {
	e, ok := q.held[q.next]
	if !ok || !q.placed() {
		return Event{}, false
	}
	q.drop(e)
	q.next++
	return e.Event, true
}

// hold keeps a later event. Past the limits everything held is dropped, to be read back from the
// database.
func (q *sequencer) hold(e Event) {
	if len(q.held)+1 > q.maxEvents || q.bytes+len(e.Data) > q.maxBytes {
		for s := range q.held {
			q.claimed = max(q.claimed, s)
		}
		q.claimed = max(q.claimed, e.Seq)
		q.held, q.bytes = nil, 0
		return
	}
	if q.held == nil {
		q.held = make(map[int64]heldEvent)
	}
	q.held[e.Seq] = heldEvent{e, q.round}
	q.bytes += len(e.Data)
}

func (q *sequencer) drop(e heldEvent) {
	q.bytes -= len(e.Data)
	delete(q.held, e.Seq)
	if len(q.held) == 0 {
		q.held = nil
	}
}

// expect notes that the database has seq.
func (q *sequencer) expect(seq int64) { q.known = max(q.known, seq) }

// claim notes that the stream is said to have seq; the next repair finds out.
func (q *sequencer) claim(seq int64) { q.claimed = max(q.claimed, seq) }

// hole reports whether an event known to exist, or one before it, is missing.
func (q *sequencer) hole() bool { return q.placed() && (q.heard() || q.known >= q.next) }

// heard reports whether the hole shows in what came from others, and not only in the database.
func (q *sequencer) heard() bool { return len(q.held) > 0 || q.claimed >= q.next }

// beginRepair returns the seq after which to read, and marks what is held as older than the read.
func (q *sequencer) beginRepair() (after int64) {
	q.round++
	q.askedKnown, q.askedClaimed = q.known, q.claimed
	return q.head()
}

// repair is what a finished read of the hole means.
type repair uint8

const (
	repairFits    repair = iota // reconcile if the answer reaches the end, then offer the events
	repairStale                 // the position has moved away: drop the answer
	repairTooFar                // more than the window is missing: never jumped, everybody is reset
	repairTrimmed               // the hole can no longer be filled: likewise
)

// judge decides what an answer of Source.Events after a seq means, before any of it is offered.
func (q *sequencer) judge(after int64, events []Event, window int) repair {
	switch {
	case !q.placed() || q.head() < after:
		return repairStale
	case q.head() > after:
		return repairFits // live events have filled part of it
	case len(events) == 0 && q.askedKnown >= q.next:
		return repairTrimmed // the database had it and no longer does
	case len(events) > 0 && events[0].Seq > after+1:
		return repairTrimmed
	case len(events) > window:
		return repairTooFar // the hole may hold the removal of a subscriber
	}
	return repairFits
}

// reconcile notes that a read reached the database's last seq, before the events read are offered.
// What was held before the read and lies above that seq was never committed: it is discarded, and
// counted in the result.
func (q *sequencer) reconcile(last int64) (discarded int) {
	for s, e := range q.held {
		if s > last && e.round < q.round {
			q.drop(e)
			discarded++
		}
	}
	if q.claimed <= q.askedClaimed {
		q.claimed = 0
	}
	if q.known <= q.askedKnown {
		q.known = min(q.known, max(last, q.head()))
	}
	return discarded
}
