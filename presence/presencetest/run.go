// Package presencetest is the contract of Leases, as one suite. It knows two nodes
// and a clock that it may move, and nothing about how leases are kept.
package presencetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/presence"
)

// The times of the contract.
const (
	TTL   = 45 * time.Second
	Grace = 5 * time.Second

	// Rebuild is how long after leases were lost the absence of one means nothing.
	Rebuild = 10 * time.Second

	sweepEvery = 5 * time.Second // often enough to count as sweeping all the time
	second     = time.Second
	margin     = 2 * second // before and after a time of the contract, for a slow machine
)

// World is leases as two nodes see them, and their clock. Nobody is here, and that
// is known.
type World struct {
	First, Second presence.Leases
	Advance       func(d time.Duration)
}

// Run runs the suite; with runs each part in a world of its own.
func Run(t *testing.T, with func(t *testing.T, part func(*testing.T, World))) {
	for name, part := range map[string]func(*fixture){
		"arrival": testArrival, "departure": testDeparture, "reconnect": testReconnect, "two devices": testTwoDevices,
		"ended leases": testEndedLeases, "crash": testCrash, "late renewal": testLateRenewal, "renewals": testRenewals,
		"activity": testActivity, "idle reconnect": testIdleReconnect, "new session": testNewSession, "last words": testLastWords,
		"many": testMany, "claims": testClaims, "nothing": testNothing, "order": testOrder, "release after expiry": testReleaseAfterExpiry,
	} {
		t.Run(name, func(t *testing.T) {
			with(t, func(t *testing.T, w World) { part(&fixture{T: t, World: w}) })
		})
	}
}

type fixture struct {
	*testing.T
	World
}

// lease names a connection of a user.
func lease(user string, n int) presence.Lease {
	return presence.Lease{ID: fmt.Sprintf("%s/%d", user, n), UserID: user}
}

func (f *fixture) renew(on presence.Leases, l presence.Lease, idle time.Duration) presence.Renewed {
	f.Helper()
	renewed, err := on.Renew(f.Context(), []presence.Report{{Lease: l, Idle: idle}})
	if err != nil || len(renewed) != 1 {
		f.Fatalf("renewed %v, %v", renewed, err)
	}
	return renewed[0]
}

func (f *fixture) release(on presence.Leases, leases ...presence.Lease) {
	f.Helper()
	reports := make([]presence.Report, len(leases))
	for i, l := range leases {
		reports[i] = presence.Report{Lease: l, Idle: unknown}
	}
	if err := on.Release(f.Context(), reports); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) read(user string) presence.Reading {
	f.Helper()
	readings, err := f.Second.Read(f.Context(), []string{user})
	if err != nil || len(readings) != 1 {
		f.Fatalf("read %v, %v", readings, err)
	}
	return readings[0]
}

// sweep returns who one sweep reports gone.
func (f *fixture) sweep(on presence.Leases) []string {
	f.Helper()
	var users []string
	for _, d := range f.departures(on) {
		users = append(users, d.UserID)
	}
	slices.Sort(users)
	return users
}

func (f *fixture) departures(on presence.Leases) []presence.Departure {
	f.Helper()
	swept, err := on.Sweep(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return swept.Gone
}

// pass lets time pass while both nodes sweep, and returns who was reported gone.
func (f *fixture) pass(d time.Duration) []string {
	f.Helper()
	var gone []string
	for step := sweepEvery; d > 0; d -= step {
		step = min(step, d)
		f.Advance(step)
		gone = append(gone, f.sweep(f.First)...)
		gone = append(gone, f.sweep(f.Second)...)
	}
	return gone
}

func (f *fixture) here(user string, want bool) {
	f.Helper()
	if r := f.read(user); r.Here != want || !r.Known {
		f.Errorf("%s: here %v, known %v; want here %v", user, r.Here, r.Known, want)
	}
}

func (f *fixture) told(got []string, want ...string) {
	f.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		f.Errorf("reported gone: %v, want %v", got, want)
	}
}

func (f *fixture) appeared(r presence.Renewed, want bool) {
	f.Helper()
	if r.Appeared != want {
		f.Errorf("appeared: %v, want %v", r.Appeared, want)
	}
}

// about compares durations that a slow machine may stretch.
func (f *fixture) about(what string, got, want time.Duration) {
	f.Helper()
	if d := got - want; d < -margin || d > 10*second {
		f.Errorf("%s: %v, want about %v", what, got, want)
	}
}

// since returns how long before now then was.
func since(now, then chat.Time) time.Duration { return now.Time().Sub(then.Time()) }
