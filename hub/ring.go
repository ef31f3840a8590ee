package hub

// ring keeps the latest events of one stream, consecutive up to the stream's head, for those who
// come back. It has no lock and no clock. It replays no old text: an edit or a deletion empties the
// earlier entries of its message.
type ring struct {
	slots []ringEntry // a circle of n entries from first
	first int
	n     int
	bytes int
}

type ringEntry struct {
	Event
	stale bool
}

// entryOverhead is what an entry costs beyond its data, in bytes.
const entryOverhead = 128

func (r *ring) at(i int) *ringEntry { return &r.slots[(r.first+i)%len(r.slots)] }

// find returns the entry of a seq, or nil.
func (r *ring) find(seq int64) *ringEntry {
	if r.n == 0 || seq < r.firstSeq() || seq > r.at(r.n-1).Seq {
		return nil
	}
	return r.at(int(seq - r.firstSeq()))
}

// firstSeq returns the lowest seq kept, 0 for an empty ring.
func (r *ring) firstSeq() int64 {
	if r.n == 0 {
		return 0
	}
	return r.at(0).Seq
}

// push appends the stream's next event and empties what it makes stale. The oldest entries go when
// there are more than limit.
func (r *ring) push(e Event, limit int) {
	if e.Kind.Has(Rewrite) {
		r.spoil(e.Target, e.Seq)
	}
	for r.n >= limit && r.n > 0 {
		r.dropFirst()
	}
	r.grow(limit)
	r.n++
	e.Trace = "" // a replay is not part of the traced delivery
	*r.at(r.n - 1) = ringEntry{Event: e}
	r.bytes += len(e.Data) + entryOverhead
}

func (r *ring) empty(e *ringEntry, target int64) {
	if e.Kind.Has(Content) && e.Target == target && !e.stale {
		r.bytes -= len(e.Data)
		e.stale, e.Data = true, nil
	}
}

// grow makes room for one more entry, up to limit.
func (r *ring) grow(limit int) {
	if r.n < len(r.slots) {
		return
	}
	slots := make([]ringEntry, min(max(8, 2*len(r.slots)), max(limit, r.n+1)))
	for i := range r.n {
		slots[i] = *r.at(i)
	}
	r.slots, r.first = slots, 0
}

func (r *ring) dropFirst() {
	e := r.at(0)
	r.bytes -= len(e.Data) + entryOverhead
	*e = ringEntry{}
	r.first = (r.first + 1) % len(r.slots)
	r.n--
}

// clear frees everything.
func (r *ring) clear() { *r = ring{} }

// after returns the entries that follow a seq, up to maxBytes of data but at least one; more means
// that the ring holds further ones. ok is false when the ring does not reach back that far or the
// first entry is stale.
func (r *ring) after(seq int64, maxBytes int) (events []Event, more, ok bool) {
	if r.n == 0 || seq+1 < r.firstSeq() {
		return nil, false, false
	}
	size := 0
	for i := int(seq + 1 - r.firstSeq()); i < r.n; i++ {
		e := r.at(i)
		if e.stale {
			return events, true, len(events) > 0
		}
		if size += len(e.Data); size > maxBytes && len(events) > 0 {
			return events, true, true
		}
		events = append(events, e.Event)
	}
	return events, false, true
}

// size adds up the data of the entries after one seq up to another. ok is false when one of them is
// missing or stale.
func (r *ring) size(after, last int64) (size int, ok bool) {
	if r.n == 0 || after+1 < r.firstSeq() || last > r.at(r.n-1).Seq {
		return 0, false
	}
	for seq := after + 1; seq <= last; seq++ {
		e := r.at(int(seq - r.firstSeq()))
		if e.stale {
			return 0, false
		}
		size += len(e.Data)
	}
	return size, true
}

// merge adds events just read from the database: they replace stale entries and extend the ring
// backwards, up to limit entries. What was rewritten after the read stays stale.
func (r *ring) merge(events []Event, head int64, limit int) {
	events = upTo(events, head)
	if len(events) == 0 {
		return
	}
	asOf := events[len(events)-1].Seq
	if r.n == 0 && asOf != head || r.n > 0 && asOf < r.firstSeq()-1 {
		return // a gap to what is kept
	}
	r.prepend(events, limit)
	r.refresh(events, asOf)
}

// prepend puts what precedes the first entry in front of it, as many of the latest as fit under
// limit.
func (r *ring) prepend(events []Event, limit int) {
	if r.n > 0 {
		events = upTo(events, r.firstSeq()-1)
	}
	events = events[max(0, len(events)-max(0, limit-r.n)):]
	if len(events) == 0 {
		return
	}
	slots := make([]ringEntry, 0, len(events)+r.n)
	for _, e := range events {
		slots = append(slots, ringEntry{Event: e})
		r.bytes += len(e.Data) + entryOverhead
	}
	for i := range r.n {
		slots = append(slots, *r.at(i))
	}
	r.slots, r.first, r.n = slots, 0, len(slots)
}

// refresh replaces stale entries by what was read as of a seq, then spoils what was rewritten
// later.
func (r *ring) refresh(events []Event, asOf int64) {
	for _, fresh := range events {
		i := fresh.Seq - r.firstSeq()
		if i < 0 || r.n == 0 {
			continue
		}
		if e := r.at(int(i)); e.stale {
			*e = ringEntry{Event: fresh}
			r.bytes += len(fresh.Data)
		}
	}
	for i := range r.n {
		if e := r.at(i); e.Kind.Has(Rewrite) && e.Seq > asOf {
			r.spoil(e.Target, e.Seq)
		}
	}
}

// spoil empties the entries below seq that hold the text of message target.
func (r *ring) spoil(target, seq int64) {
	for i := range r.n {
		e := r.at(i)
		if e.Seq >= seq {
			return
		}
		r.empty(e, target)
	}
}

// upTo cuts the events after a seq.
func upTo(events []Event, seq int64) []Event {
	for len(events) > 0 && events[len(events)-1].Seq > seq {
		events = events[:len(events)-1]
	}
	return events
}
