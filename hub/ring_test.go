package hub

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// ringModel is a log of messages as the database holds it: text is always as it is now.
type ringModel struct {
	events  []Event
	version map[int64]int // message → how often rewritten
}

// text is what an event of a message shows now.
func (m *ringModel) text(e Event) Event {
	if e.Kind.Has(Content) {
		e.Data = fmt.Appendf(nil, "%d:v%d", e.Target, m.version[e.Target])
	}
	return e
}

func (m *ringModel) add(kind Kind, target int64) Event {
	e := Event{Stream: "c", Seq: int64(len(m.events) + 1), Op: "op", Kind: kind, Target: target, Data: []byte("x")}
	if kind == Content {
		e.Target = e.Seq
	}
	if kind.Has(Rewrite) {
		m.version[target]++
	}
	m.events = append(m.events, e)
	return m.text(e)
}

func (m *ringModel) read(after, to int64) (events []Event) {
	for _, e := range m.events[after:to] {
		events = append(events, m.text(e))
	}
	return events
}

func TestRingReplaysTheLogAndNoOldText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		m := &ringModel{version: map[int64]int{}}
		r := &ring{}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			head := int64(len(m.events))
			switch rapid.IntRange(0, 7).Draw(t, "step") {
			case 0, 1, 2:
				r.push(m.add(Content, 0), limit)
			case 3:
				r.push(m.add(Plain, 0), limit)
			case 4:
				if head > 0 {
					r.push(m.add(Content|Rewrite, rapid.Int64Range(1, head).Draw(t, "edited")), limit)
				}
			case 5:
				if head > 0 {
					r.push(m.add(Rewrite, rapid.Int64Range(1, head).Draw(t, "deleted")), limit)
				}
			case 6:
				after := rapid.Int64Range(0, head).Draw(t, "loadAfter")
				r.merge(m.read(after, head), head, limit)
			case 7: // read, then events arrive, then merged
				after := rapid.Int64Range(0, head).Draw(t, "loadAfter")
				late := m.read(after, head)
				r.push(m.add(Content, 0), limit)
				r.push(m.add(Content|Rewrite, rapid.Int64Range(1, head+1).Draw(t, "edited")), limit)
				r.merge(late, int64(len(m.events)), limit)
			}
			checkRing(t, r, m, limit)
		}
	})
}

func checkRing(t *rapid.T, r *ring, m *ringModel, limit int) {
	head := int64(len(m.events))
	if r.n > limit {
		t.Fatalf("%d entries, limit %d", r.n, limit)
	}
	bytes := 0
	for i := range r.n {
		bytes += len(r.at(i).Data) + entryOverhead
	}
	if bytes != r.bytes {
		t.Fatalf("counts %d bytes, holds %d", r.bytes, bytes)
	}
	after := rapid.Int64Range(0, head).Draw(t, "after")
	got, more, ok := r.after(after, rapid.IntRange(1, 40).Draw(t, "maxBytes"))
	if !ok {
		if len(got) > 0 {
			t.Fatalf("not covered, but %d events", len(got))
		}
		return
	}
	if !more && after+int64(len(got)) != head {
		t.Fatalf("after %d: %d events and no more, head %d", after, len(got), head)
	}
	if more && len(got) == 0 {
		t.Fatal("more, but none now")
	}
	for i, e := range got {
		if want := m.text(m.events[after+int64(i)]); !sameEvent(e, want) {
			t.Fatalf("replays %+v (%s), want %+v (%s)", e, e.Data, want, want.Data)
		}
	}
}

func TestRingLoadMakesItWhole(t *testing.T) {
	m := &ringModel{version: map[int64]int{}}
	r := &ring{}
	for range 10 {
		r.push(m.add(Content, 0), 8)
	}
	r.push(m.add(Rewrite, 9), 8)
	if _, _, ok := r.after(8, 1<<20); ok {
		t.Fatal("a replay over a deleted message was not refused")
	}
	if _, _, ok := r.after(9, 1<<20); !ok {
		t.Fatal("a replay past the deleted message was refused")
	}
	r.merge(m.read(3, 11), 11, 8)
	got, more, ok := r.after(3, 1<<20)
	if !ok || more || len(got) != 8 || string(got[5].Data) != "9:v1" {
		t.Errorf("after the load: %d events, more %v, ok %v", len(got), more, ok)
	}
	r.dropFirst()
	if r.clear(); r.bytes != 0 || r.n != 0 {
		t.Error("clear left something behind")
	}
}
