package presence

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

type silent struct{ n int }

func (s *silent) Announce([]string) { s.n++ }

// After the process stood still for longer than a lease, its own sweep does not
// declare the people here gone.
func TestStandstillOfTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		tracker := New(Config{}, m, nil, &silent{}, slog.New(slog.DiscardHandler))
		for range 100 {
			tracker.Join("ann", nil)
		}
		for range 5 {
			tracker.beat(t.Context())
			time.Sleep(3 * leaseTTL)
		}
		tracker.beat(t.Context())
		if len(tracker.gone) > 0 {
			t.Errorf("gone: %v", tracker.gone)
		}
		readings, err := m.Read(context.Background(), []string{"ann"})
		if err != nil || !readings[0].Here {
			t.Errorf("%+v, %v", readings, err)
		}
	})
}

// Renewals are spread out, and none is late.
func TestWheel(t *testing.T) {
	w := newWheel[int](15 * time.Second)
	slots := map[int]int{}
	for k := range 1500 {
		slots[k] = w.add(k)
	}
	last := map[int]time.Duration{}
	for now := time.Duration(0); now < 2*time.Minute; now += time.Second {
		due := w.due(now)
		if len(due) > 400 {
			t.Errorf("%v: %d at once", now, len(due))
		}
		for _, k := range due {
			if before, again := last[k]; again && now-before != 15*time.Second {
				t.Fatalf("%d after %v", k, now-before)
			}
			last[k] = now
		}
	}
	if len(last) != 1500 {
		t.Errorf("%d came due", len(last))
	}
	if n := len(w.due(time.Hour)); n != 1500 {
		t.Errorf("%d came due after a standstill", n)
	}
	for k, slot := range slots {
		w.remove(k, slot)
	}
	if n := len(w.due(2 * time.Hour)); n != 0 {
		t.Errorf("%d are left", n)
	}
}
