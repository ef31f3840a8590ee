package hub

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func plain(seq int64) Event {
	return Event{Stream: "c", Seq: seq, Op: "op", Data: fmt.Appendf(nil, `{"seq":%d}`, seq)}
}

func plains(from, to int64) (events []Event) {
	for s := from; s <= to; s++ {
		events = append(events, plain(s))
	}
	return events
}

// reader drives a sequencer as a stream does, and notes what comes out.
type reader struct {
	sequencer
	out []int64
}

func newReader(maxEvents int) *reader {
	return &reader{sequencer: sequencer{maxEvents: maxEvents, maxBytes: 1 << 20}}
}

func (r *reader) offer(e Event) verdict {
	v := r.sequencer.offer(e)
	if v == deliver {
		r.out = append(r.out, e.Seq)
		r.popAll()
	}
	return v
}

func (r *reader) popAll() {
	for e, ok := r.pop(); ok; e, ok = r.pop() {
		r.out = append(r.out, e.Seq)
	}
}

// repairFrom answers a repair from a log 1…last, read with limit.
func (r *reader) repairFrom(last int64, window int) repair {
	after := r.beginRepair()
	return r.finish(after, plains(after+1, min(last, after+int64(window)+1)), window)
}

func (r *reader) finish(after int64, events []Event, window int) repair {
	v := r.judge(after, events, window)
	if v != repairFits {
		return v
	}
	if len(events) <= window {
		last := after
		if len(events) > 0 {
			last = events[len(events)-1].Seq
		}
		r.reconcile(last)
	}
	for _, e := range events {
		r.offer(e)
	}
	r.popAll()
	return v
}

func TestSequencerDeliversEachOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 60).Draw(t, "n")
		start := rapid.Int64Range(0, n).Draw(t, "start")
		r := newReader(rapid.IntRange(1, 40).Draw(t, "room"))
		placeAt := rapid.IntRange(0, 20).Draw(t, "placeAt")
		// Any order, any repetition, any loss.
		arrivals := rapid.SliceOfN(rapid.Int64Range(1, n), 0, 150).Draw(t, "arrivals")
		for i, seq := range arrivals {
			if i == placeAt {
				r.place(start)
				r.popAll()
			}
			r.offer(plain(seq))
			if r.placed() && r.hole() && rapid.IntRange(0, 5).Draw(t, "repairs") == 0 {
				if v := r.repairFrom(n, 1000); v != repairFits {
					t.Fatalf("repair says %d", v)
				}
			}
		}
		if !r.placed() {
			r.place(start)
			r.popAll()
		}
		r.expect(n)
		for i := 0; r.hole(); i++ {
			if i > 3 {
				t.Fatal("the hole did not close")
			}
			r.repairFrom(n, 1000)
		}
		want := seqs(start+1, n)
		if !slices.Equal(r.out, want) {
			t.Fatalf("delivered %v, want %v", r.out, want)
		}
		if len(r.held) != 0 || r.bytes != 0 {
			t.Fatalf("%d events, %d bytes still held", len(r.held), r.bytes)
		}
	})
}

func seqs(from, to int64) (s []int64) {
	for i := from; i <= to; i++ {
		s = append(s, i)
	}
	return s
}

func TestSequencerDropsOld(t *testing.T) {
	r := newReader(10)
	r.place(5)
	for _, seq := range []int64{3, 5, 6, 6, 5, 7} {
		r.offer(plain(seq))
	}
	if want := []int64{6, 7}; !slices.Equal(r.out, want) {
		t.Errorf("delivered %v, want %v", r.out, want)
	}
}

func TestSequencerHoldsNoMoreThanItsLimits(t *testing.T) {
	r := newReader(4)
	r.place(0)
	for seq := int64(2); seq <= 5; seq++ {
		r.offer(plain(seq))
	}
	if len(r.held) != 4 {
		t.Fatalf("%d held, want 4", len(r.held))
	}
	r.offer(plain(6))
	if len(r.held) != 0 || r.bytes != 0 || !r.hole() {
		t.Fatalf("%d held, %d bytes, hole %v: want all dropped, to be read back", len(r.held), r.bytes, r.hole())
	}
	r.repairFrom(6, 100)
	if want := seqs(1, 6); !slices.Equal(r.out, want) || r.hole() {
		t.Errorf("delivered %v, hole %v, want %v and none", r.out, r.hole(), want)
	}
	big := newReader(4)
	big.maxBytes = 10
	big.place(0)
	big.offer(Event{Stream: "c", Seq: 3, Op: "op", Data: make([]byte, 11)})
	if len(big.held) != 0 || !big.hole() {
		t.Error("an event over the byte limit is held")
	}
}

func TestSequencerDiscardsWhatTheDatabaseDoesNotHave(t *testing.T) {
	r := newReader(10)
	r.place(5)
	r.offer(plain(9)) // never committed
	after := r.beginRepair()
	r.offer(plain(8)) // committed during the read
	if v := r.finish(after, plains(6, 7), 100); v != repairFits {
		t.Fatalf("repair says %d", v)
	}
	if want := []int64{6, 7, 8}; !slices.Equal(r.out, want) || r.hole() {
		t.Errorf("delivered %v, hole %v; want %v and none", r.out, r.hole(), want)
	}
}

func TestSequencerNeverJumps(t *testing.T) {
	for name, tt := range map[string]struct {
		answer []Event
		known  int64
		want   repair
	}{
		"window full":     {plains(6, 15), 0, repairFits},
		"past the window": {plains(6, 16), 0, repairTooFar},
		"trimmed":         {plains(7, 9), 0, repairTrimmed},
		"all trimmed":     {nil, 20, repairTrimmed},
		"nothing there":   {nil, 0, repairFits},
	} {
		r := newReader(10)
		r.place(5)
		r.offer(plain(30))
		r.expect(tt.known)
		if got := r.judge(r.beginRepair(), tt.answer, 10); got != tt.want {
			t.Errorf("%s: judged %d, want %d", name, got, tt.want)
		}
		if r.head() != 5 || len(r.out) != 0 {
			t.Errorf("%s: the position moved to %d", name, r.head())
		}
	}
}

func TestSequencerJudgesByWhatWasKnownBeforeTheRead(t *testing.T) {
	r := newReader(10)
	r.place(5)
	r.offer(plain(9))
	after := r.beginRepair()
	r.expect(6) // committed after the read
	if got := r.judge(after, nil, 10); got != repairFits {
		t.Errorf("judged %d, want it to fit", got)
	}
	r.reconcile(after)
	if !r.hole() {
		t.Error("what became known during the read was forgotten")
	}
}
