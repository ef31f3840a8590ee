package timeline

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

const room = "01890000-0000-7000-8000-000000000001"

func TestStagesOfAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New("here")
		began := time.Now()
		after := func(d time.Duration) chat.Time { return chat.TimeOf(began.Add(d)) }
		time.Sleep(7 * time.Millisecond)
		b.Published(room, 3, began.Add(5*time.Millisecond))
		time.Sleep(time.Millisecond)
		b.Delivered(room, []int64{2, 3}, 12)
		b.Received(room, 3, began) // noted last: the seq is known only after the commit
		time.Sleep(time.Second)
		b.Indexed(room, 3, 2, after(0)) // edited before it was indexed
		want := Stages{Node: "here", ReceivedAt: after(0), CommittedAt: after(5 * time.Millisecond), PublishedAt: after(7 * time.Millisecond),
			DeliveredAt: after(8 * time.Millisecond), Connections: 12, IndexedAt: after(1008 * time.Millisecond)}
		if got, ok := b.Of(room, 3); !ok || got != want || got.First() != after(0) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got, ok := b.Of(room, 2); !ok || got != (Stages{Node: "here", DeliveredAt: want.DeliveredAt, Connections: 12}) || got.First() != want.DeliveredAt {
			t.Errorf("of another node's message: %+v", got)
		}
		b.Published(room, 3, time.Now())
		b.Delivered(room, []int64{3}, 1)
		b.Received(room, 3, time.Now())
		b.Indexed(room, 3, 3, after(0))
		if got, _ := b.Of(room, 3); got != want {
			t.Errorf("a repeated note counts: %+v", got)
		}
	})
}

func TestWhatIsNotNoted(t *testing.T) {
	b := New("here")
	now := chat.TimeOf(time.Now())
	b.Indexed(room, 1, 2, now)
	b.Indexed(room, 2, 1, now)
	b.Indexed(room, 4, 1, now.Add(-Kept)) // by a reindex
	b.Delivered("not an id", []int64{1}, 1)
	for seq, want := range map[int64]bool{1: false, 2: true, 3: false, 4: false} {
		if _, known := b.Of(room, seq); known != want {
			t.Errorf("seq %d: known is %v", seq, known)
		}
	}
	if _, known := b.Of("not an id", 1); known || len(b.entries) != 1 {
		t.Errorf("%d entries, want only seq 2", len(b.entries))
	}
}

func TestKeptForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New("here")
		b.Delivered(room, []int64{1}, 1)
		time.Sleep(Kept)
		if _, known := b.Of(room, 1); !known {
			t.Error("forgotten too early")
		}
		time.Sleep(2 * time.Millisecond)
		if got, known := b.Of(room, 1); known {
			t.Errorf("after a day: %+v", got)
		}
	})
}

// The first noted make room, and the book takes no more memory than it promises.
func TestBounds(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b := New("here")
	const extra = 100
	for seq := range int64(Most + extra) {
		b.Received(room, seq, time.Now())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	size := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if size > 12_000_000 {
		t.Errorf("a full book takes %d bytes", size)
	}
	if len(b.entries) != Most || len(b.places) != Most {
		t.Errorf("%d entries in %d places, want %d", len(b.entries), len(b.places), Most)
	}
	for seq, want := range map[int64]bool{0: false, extra - 1: false, extra: true, Most + extra - 1: true} {
		if _, known := b.Of(room, seq); known != want {
			t.Errorf("seq %d: known is %v, want %v", seq, known, want)
		}
	}
}

func TestNoteAllocatesNothing(t *testing.T) {
	b := New("here")
	b.most = 64
	seqs := []int64{0}
	say := func() {
		seqs[0]++
		b.Received(room, seqs[0], time.Now())
		b.Published(room, seqs[0], time.Now())
		b.Delivered(room, seqs, 3)
		b.Indexed(room, seqs[0], 1, chat.TimeOf(time.Now()))
	}
	for range 1000 {
		say()
	}
	if cost := testing.AllocsPerRun(1000, say); cost > 0 {
		t.Errorf("%v allocations per message", cost)
	}
}

// BenchmarkNotes makes all four notes of a message in a full book.
func BenchmarkNotes(b *testing.B) {
	book := New("here")
	chats := make([]string, 100)
	for i := range chats {
		chats[i] = fmt.Sprintf("01890000-0000-7000-8000-%012d", i)
	}
	seqs := make([]int64, 1)
	say := func() {
		seqs[0]++
		id := chats[seqs[0]%100]
		book.Received(id, seqs[0], time.Now())
		book.Published(id, seqs[0], time.Now())
		book.Delivered(id, seqs, 3)
		book.Indexed(id, seqs[0], 1, chat.TimeOf(time.Now()))
	}
	for range Most {
		say()
	}
	b.ReportAllocs()
	for b.Loop() {
		say()
	}
}
