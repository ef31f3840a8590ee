package presence

import (
	"context"
	"errors"
	"time"

	"fechatter/chat"
)

const (
	leaseTTL   = 45 * time.Second // a lease that is not renewed ends after this
	renewEvery = 15 * time.Second // so that two renewals may be lost
	leaseGrace = 5 * time.Second  // after the last release, so that a reconnect goes unnoticed
)

// ErrUnavailable is returned by Leases that did not ask their server, because
// recent calls failed.
var ErrUnavailable = errors.New("presence is unavailable")

// Leases is the knowledge, shared by all nodes, of who is here. Every method may
// be called concurrently, takes one round trip however many users it concerns,
// and returns or fails within a fraction of a second. After an error it is
// unknown whether the call took effect; all but Sweep may be repeated.
type Leases interface {
	// Renew creates or extends leases. The results are in the order of the reports.
	Renew(ctx context.Context, reports []Report) ([]Renewed, error)
	// Release ends leases early; one that has already ended is not an error.
	Release(ctx context.Context, reports []Report) error
	// Read returns what is known of each user, in their order.
	Read(ctx context.Context, userIDs []string) ([]Reading, error)
	// Sweep returns people who went offline, each to only one caller over all
	// nodes. Every node calls it once a second.
	Sweep(ctx context.Context) (Swept, error)
}

// Lease is one connection of a user. ID is unique among all connections.
type Lease struct {
	ID, UserID string
}

// Report is what a node knows of a connection: its lease, and how long its user
// has been idle. A negative Idle means unknown: what the leases know stays, and a
// person they do not know counts as active now.
type Report struct {
	Lease

	Idle time.Duration
}

// Renewed is the result of a renewal: whether the user was absent before it, and
// how long ago they were last active on any node.
type Renewed struct {
	Appeared bool
	Idle     time.Duration
}

// Reading is what is known of a user. Known reports whether their absence would
// be known; it does not depend on whether they are here.
type Reading struct {
	Here, Known  bool
	Idle         time.Duration
	LastActiveAt chat.Time // by the clock of the leases; 0: unknown
}

// Swept is what a sweep found. Lost reports that, since the caller's last sweep,
// leases may have been lost or have expired while nobody could renew them: every
// holder renews all of its leases now. Absence is known again 10 s later.
type Swept struct {
	Gone []Departure
	Lost bool
}

// Departure is a person who went offline. LastActiveAt is 0 when unknown.
type Departure struct {
	UserID       string
	LastActiveAt chat.Time
}
