package hub

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sequencerModel is the naive sequencer: a log, and the rule that what comes out is the log from
// where it began. It drives the real one with whatever a bus and a database can do to it.
type sequencerModel struct {
	*reader
	start, committed int64
	data             []byte        // of the largest event
	sizes            map[int64]int // of the events' data, by seq
	reading          *modelRead    // a repair in progress
}

type modelRead struct {
	after  int64
	answer []Event
	limit  int
}

const (
	modelWindow  = 40
	largestEvent = 400 << 10
)

// event returns the same event for a seq every time. Some are large: a few of them exceed the bytes
// that may be held.
func (m *sequencerModel) event(seq int64) Event {
	e := plain(seq)
	e.Data = m.data[:m.sizes[seq]]
	return e
}

func (m *sequencerModel) commit(t *rapid.T) {
	for range rapid.IntRange(1, 30).Draw(t, "count") {
		m.committed++
		m.sizes[m.committed] = rapid.SampledFrom([]int{1, 300, 70 << 10, largestEvent}).Draw(t, "size")
	}
}

// arrive brings committed events in any order, some twice, some never.
func (m *sequencerModel) arrive(t *rapid.T) {
	if m.committed == 0 {
		return
	}
	from := rapid.Int64Range(1, m.committed).Draw(t, "from")
	for _, d := range rapid.SliceOfN(rapid.Int64Range(-3, 12), 1, 300).Draw(t, "steps") {
		from = min(max(1, from+d), m.committed)
		m.offer(m.event(from))
	}
}

func (m *sequencerModel) place(t *rapid.T) {
	if !m.placed() {
		m.start = rapid.Int64Range(0, m.committed).Draw(t, "start")
		m.reader.place(m.start)
		m.popAll()
	}
}

// hear reports what the database is seen, or rumoured, to have.
func (m *sequencerModel) hear(t *rapid.T) {
	if rapid.Bool().Draw(t, "rumour") {
		m.claim(rapid.Int64Range(0, m.committed+5).Draw(t, "claimed"))
		return
	}
	m.expect(m.committed)
}

// read begins a repair: the answer is of now and applied later.
func (m *sequencerModel) read(t *rapid.T) {
	if !m.placed() || !m.hole() || m.reading != nil {
		return
	}
	after := m.beginRepair()
	r := &modelRead{after: after, limit: modelWindow + 1}
	for seq := after + 1; seq <= min(m.committed, after+int64(r.limit)); seq++ {
		r.answer = append(r.answer, m.event(seq))
	}
	m.reading = r
}

func (m *sequencerModel) answer(t *rapid.T) {
	r := m.reading
	if r == nil {
		return
	}
	m.reading = nil
	if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
		return
	}
	wide := m.head() == r.after && len(r.answer) == r.limit
	switch v := m.finish(r.after, r.answer, modelWindow); {
	case v == repairFits && !wide, v == repairTooFar && wide:
	default:
		t.Fatalf("%d events after %d, head %d: judged %d", len(r.answer), r.after, m.head(), v)
	}
	if wide { // as a stream does: everybody is reset, and the next position is new
		m.forget()
		m.out = nil
	}
}

// check is what always holds.
func (m *sequencerModel) check(t *rapid.T) {
	size := 0
	for seq, e := range m.held {
		size += len(e.Data)
		if seq != e.Seq || m.placed() && seq < m.next {
			t.Fatalf("event %d is held as %d, next is %d", e.Seq, seq, m.next)
		}
	}
	if len(m.held) > m.maxEvents || size > m.maxBytes || size != m.bytes {
		t.Fatalf("%d events of %d bytes are held, counted as %d; allowed are %d and %d", len(m.held), size, m.bytes, m.maxEvents, m.maxBytes)
	}
	if !slices.Equal(m.out, seqs(m.start+1, m.start+int64(len(m.out)))) {
		t.Fatalf("delivered %v after %d", m.out, m.start)
	}
	if m.placed() && m.head() != m.start+int64(len(m.out)) {
		t.Fatalf("head is %d after %d events from %d", m.head(), len(m.out), m.start)
	}
}

// end lets the repairs do the rest.
func (m *sequencerModel) end(t *rapid.T) {
	m.reading = nil
	m.place(t)
	m.expect(m.committed)
	for range m.committed/modelWindow + 3 {
		if !m.hole() {
			break
		}
		after := m.beginRepair()
		var answer []Event
		for seq := after + 1; seq <= min(m.committed, after+modelWindow); seq++ {
			answer = append(answer, m.event(seq))
		}
		m.finish(after, answer, modelWindow)
		m.expect(m.committed)
	}
	m.check(t)
	if m.head() != m.committed || m.hole() || len(m.held) > 0 {
		t.Fatalf("reached %d of %d, hole %v, %d held: %v", m.head(), m.committed, m.hole(), len(m.held), slices.Collect(maps.Keys(m.held)))
	}
}

func TestSequencerAgainstModel(t *testing.T) {
	data := make([]byte, largestEvent)
	rapid.Check(t, func(t *rapid.T) {
		m := &sequencerModel{reader: newReader(rapid.SampledFrom([]int{4, 32, 256}).Draw(t, "room")), sizes: map[int64]int{}, data: data}
		t.Repeat(map[string]func(*rapid.T){
			"commit": m.commit, "arrive": m.arrive, "place": m.place, "hear": m.hear, "read": m.read, "answer": m.answer,
			"": m.check,
		})
		m.end(t)
	})
}
