package hub

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPositionCheck measures one second of position checks over 10,000 streams: chats in which
// nothing happens, and the personal streams of their users, which never back off; then the same
// while the bus is lost, when every stream is checked four times a second. The source answers at
// once, so cpu-% is the hub's share of one core.
func BenchmarkPositionCheck(b *testing.B) {
	for name, c := range map[string]struct {
		personal int
		lost     bool
	}{
		"chats=9500/users=500":  {500, false},
		"chats=8000/users=2000": {2000, false},
		"lost":                  {500, true},
	} {
		b.Run(name, func(b *testing.B) { benchmarkPositionCheck(b, c.personal, c.lost) })
	}
}

func benchmarkPositionCheck(b *testing.B, personal int, lost bool) {
	h := New(Config{}, still{}, newMedium(), quiet()) // not run: the benchmark is its clock
	now := time.Now()
	c := &Conn{hub: h}
	for i := range 10000 {
		id := fmt.Sprintf("00000000-0000-7000-8000-%012d", i)
		s := h.streams.pin(id, func() *stream { return newStream(h, id) })
		s.mu.Lock()
		s.personal = i < personal
		s.place(1, now)
		s.subs.add(sub{conn: c, added: 1})
		s.mu.Unlock()
	}
	tick := h.cfg.CheckEvery / checkTicks
	if lost {
		tick = h.cfg.CheckLost
	}
	second := func() {
		for range time.Second / tick {
			now = now.Add(tick)
			if err := h.checkRound(b.Context(), now, lost); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range 30 { // until the chats have backed off
		second()
	}
	began, seconds := cpuTime(b), 0
	for b.Loop() {
		second()
		seconds++
	}
	b.ReportMetric(100*(cpuTime(b)-began).Seconds()/float64(seconds), "cpu-%")
	if s := h.Stats(); s.RepairsCheck > 0 || s.Resets > 0 {
		b.Fatalf("%+v: there was nothing to find", s)
	}
}

// cpuTime returns the CPU time that this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// still is a source whose streams are all at 1.
type still struct{ Source }

func (still) Positions(_ context.Context, ids []string) (string, map[string]End, error) {
	last := make(map[string]End, len(ids))
	for _, id := range ids {
		last[id] = End{Seq: 1}
	}
	return "e", last, nil
}
