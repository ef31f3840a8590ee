package presencetest

import (
	"time"

	"fechatter/presence"
)

const unknown = -1 // Idle of a node that does not know

func testActivity(f *fixture) {
	if r := f.read("ann"); r.LastActiveAt != 0 {
		f.Errorf("of a stranger: %v", r)
	}
	f.about("idle", f.renew(f.First, lease("ann", 1), 20*second).Idle, 20*second)
	f.pass(10 * second)
	f.about("idle, read", f.read("ann").Idle, 30*second)
	f.about("idle elsewhere", f.renew(f.Second, lease("ann", 2), 5*second).Idle, 5*second)
	f.about("an older activity", f.renew(f.First, lease("ann", 1), 300*second).Idle, 5*second)
	f.about("no activity known", f.renew(f.First, lease("ann", 1), unknown).Idle, 5*second)
	before := f.read("ann")
	f.about("idle is since the last activity", before.Idle, 5*second)
	f.release(f.First, lease("ann", 1), lease("ann", 2))
	f.Advance(Grace + margin)
	gone := f.departures(f.First)
	if len(gone) != 1 || gone[0].UserID != "ann" {
		f.Fatalf("gone: %v", gone)
	}
	// The clock may have been moved by moving the times: Idle is what holds.
	f.about("last activity", since(before.LastActiveAt, gone[0].LastActiveAt), f.moved())
}

// moved returns by how much Advance moves the stored times rather than the clock.
func (f *fixture) moved() time.Duration {
	f.Helper()
	f.renew(f.First, lease("probe", 1), 0)
	before := f.read("probe").LastActiveAt
	f.Advance(Grace + margin)
	return since(before, f.read("probe").LastActiveAt)
}

// A reconnect by itself does not make an idle person active.
func testIdleReconnect(f *fixture) {
	f.renew(f.First, lease("ann", 1), 600*second)
	f.release(f.First, lease("ann", 1))
	f.pass(Grace - margin)
	r := f.renew(f.Second, lease("ann", 2), unknown)
	f.appeared(r, false)
	f.about("idle", r.Idle, 600*second+Grace-margin)
}

// Somebody who went offline starts over.
func testNewSession(f *fixture) {
	f.renew(f.First, lease("ann", 1), 600*second)
	f.release(f.First, lease("ann", 1))
	f.told(f.pass(Grace+margin), "ann")
	r := f.renew(f.First, lease("ann", 2), unknown)
	f.appeared(r, true)
	f.about("idle", r.Idle, 0)
}

// What a person did just before leaving counts.
func testLastWords(f *fixture) {
	f.renew(f.First, lease("ann", 1), 600*second)
	if err := f.First.Release(f.Context(), []presence.Report{{Lease: lease("ann", 1), Idle: second}}); err != nil {
		f.Fatal(err)
	}
	f.about("idle", f.read("ann").Idle, second)
	f.Advance(Grace + margin)
	f.sweep(f.First)
	if err := f.First.Release(f.Context(), []presence.Report{{Lease: lease("ann", 1), Idle: 0}}); err != nil {
		f.Fatal(err)
	}
	f.here("ann", false)
	if r := f.read("ann"); r.LastActiveAt != 0 {
		f.Errorf("something is kept of somebody gone: %+v", r)
	}
}
