package presencetest

import (
	"fmt"
	"slices"
	"sync"

	"fechatter/presence"
)

func testArrival(f *fixture) {
	f.here("ann", false)
	f.appeared(f.renew(f.First, lease("ann", 1), 0), true)
	f.here("ann", true)
	f.here("bob", false)
	f.appeared(f.renew(f.First, lease("ann", 1), 0), false)
	f.appeared(f.renew(f.Second, lease("ann", 2), 0), false)
	f.appeared(f.renew(f.Second, lease("bob", 1), 0), true)
	f.told(f.sweep(f.First))
}

func testDeparture(f *fixture) {
	f.renew(f.First, lease("ann", 1), 0)
	f.release(f.First, lease("ann", 1))
	f.here("ann", true) // within the grace period
	f.told(f.pass(Grace - margin))
	f.here("ann", true)
	f.Advance(2 * margin)
	f.here("ann", false)
	f.told(f.sweep(f.Second), "ann")
	f.told(f.sweep(f.First))
	f.told(f.pass(TTL))
	f.here("ann", false)
	f.appeared(f.renew(f.First, lease("ann", 1), 0), true)
}

func testReconnect(f *fixture) {
	f.renew(f.First, lease("ann", 1), 0)
	f.release(f.First, lease("ann", 1))
	f.pass(Grace - margin)
	f.appeared(f.renew(f.Second, lease("ann", 2), 0), false)
	f.told(f.pass(TTL - 2*margin))
	f.here("ann", true)
}

func testTwoDevices(f *fixture) {
	f.renew(f.First, lease("ann", 1), 0)
	f.renew(f.Second, lease("ann", 2), 0)
	f.release(f.First, lease("ann", 1))
	f.told(f.pass(2 * Grace))
	f.here("ann", true)
	f.release(f.First, lease("ann", 1)) // again
	f.told(f.pass(2 * Grace))
	f.here("ann", true)
	f.release(f.Second, lease("ann", 2))
	f.told(f.pass(Grace+margin), "ann")
}

func testEndedLeases(f *fixture) {
	f.release(f.First, lease("nobody", 1))
	f.here("nobody", false)
	f.told(f.pass(2 * Grace))
	f.renew(f.First, lease("ann", 1), 0)
	f.release(f.Second, lease("ann", 2)) // never made
	f.told(f.pass(2 * Grace))
	f.here("ann", true)
}

// A node that dies releases nothing.
func testCrash(f *fixture) {
	f.renew(f.First, lease("ann", 1), 0)
	f.told(f.pass(TTL - margin))
	f.here("ann", true)
	f.Advance(2 * margin)
	f.here("ann", false)
	f.told(append(f.sweep(f.First), f.sweep(f.Second)...), "ann")
	f.appeared(f.renew(f.Second, lease("ann", 2), 0), true)
	f.release(f.Second, lease("ann", 2))
	f.told(f.pass(Grace+margin), "ann") // the dead lease does not count
}

// Somebody renewed after they were seen as gone, but before that was reported, has
// come back.
func testLateRenewal(f *fixture) {
	f.renew(f.First, lease("ann", 1), 0)
	f.pass(TTL - margin)
	f.Advance(2 * margin)
	f.here("ann", false)
	f.appeared(f.renew(f.First, lease("ann", 1), 0), true)
	f.here("ann", true)
	f.told(append(f.sweep(f.First), f.sweep(f.Second)...))
}

func testRenewals(f *fixture) {
	for i := range 10 {
		f.appeared(f.renew(f.First, lease("ann", 1), 0), i == 0)
		f.told(f.pass(TTL / 3))
		f.here("ann", true)
	}
}

// A release after the lease expired brings nobody back.
func testReleaseAfterExpiry(f *fixture) {
	f.renew(f.First, lease("ann", 1), 0)
	f.pass(TTL - margin)
	f.Advance(2 * margin)
	f.release(f.First, lease("ann", 1))
	f.here("ann", false)
	f.told(f.sweep(f.First), "ann")
	f.release(f.First, lease("ann", 1))
	f.here("ann", false)
	f.told(f.pass(2 * Grace))
}

func testNothing(f *fixture) {
	renewed, err := f.First.Renew(f.Context(), nil)
	if len(renewed) != 0 || err != nil {
		f.Errorf("renewed %v, %v", renewed, err)
	}
	readings, err := f.First.Read(f.Context(), nil)
	if len(readings) != 0 || err != nil {
		f.Errorf("read %v, %v", readings, err)
	}
	f.release(f.First)
	f.told(f.sweep(f.First))
}

func testOrder(f *fixture) {
	var users []string
	for i := range 200 {
		users = append(users, fmt.Sprint("user", i))
	}
	var renewals []presence.Report
	for i := 0; i < len(users); i += 3 {
		renewals = append(renewals, presence.Report{Lease: lease(users[i], 1)})
	}
	f.renew(f.Second, lease(users[9], 2), 0)
	renewed, err := f.First.Renew(f.Context(), renewals)
	if err != nil {
		f.Fatal(err)
	}
	for i, r := range renewed {
		f.appeared(r, renewals[i].UserID != users[9])
	}
	readings, err := f.First.Read(f.Context(), append(users, users[3], users[4]))
	if err != nil {
		f.Fatal(err)
	}
	for i, r := range readings[:len(users)] {
		if r.Here != (i%3 == 0) {
			f.Errorf("user %d: here %v", i, r.Here)
		}
	}
	if len(readings) != len(users)+2 || !readings[len(users)].Here || readings[len(users)+1].Here {
		f.Errorf("asked for twice: %v", readings[len(users):])
	}
}

// Everybody leaves; each is reported once, whoever sweeps.
func testMany(f *fixture) {
	const many = 1000
	var renewals []presence.Report
	var leases []presence.Lease
	var want []string
	for i := range many {
		l := lease(fmt.Sprint("user", i), 1)
		leases, want = append(leases, l), append(want, l.UserID)
		renewals = append(renewals, presence.Report{Lease: l, Idle: -1})
	}
	if _, err := f.First.Renew(f.Context(), renewals); err != nil {
		f.Fatal(err)
	}
	f.release(f.First, leases...)
	slices.Sort(want)
	f.told(f.pass(2*Grace), want...)
}

// Two nodes sweep at the same moment, again and again.
func testClaims(f *fixture) {
	for round := range 20 {
		var leases []presence.Lease
		var want []string
		for i := range 20 {
			l := lease(fmt.Sprintf("user%02d", i), round)
			leases, want = append(leases, l), append(want, l.UserID)
			f.renew(f.First, l, 0)
		}
		f.release(f.Second, leases...)
		f.Advance(Grace + margin)
		f.told(f.sweepTogether(), want...)
	}
}

func (f *fixture) sweepTogether() []string {
	f.Helper()
	var swept [2]presence.Swept
	var errs [2]error
	var both sync.WaitGroup
	for i, on := range []presence.Leases{f.First, f.Second} {
		both.Go(func() { swept[i], errs[i] = on.Sweep(f.Context()) })
	}
	both.Wait()
	var users []string
	for i := range swept {
		if errs[i] != nil {
			f.Fatal(errs[i])
		}
		for _, d := range swept[i].Gone {
			users = append(users, d.UserID)
		}
	}
	return users
}
