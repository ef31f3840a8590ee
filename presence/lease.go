package presence

import (
	"context"
	"errors"
	"time"

	"fechatter/chat"
)

const (
	leaseTTL   = 45 * time.Second // a lease that is not renewed ends after it
	renewEvery = 15 * time.Second // so two renewals may be lost
	leaseGrace = 5 * time.Second  // after the last lease was released: a reconnect goes unnoticed
)

// ErrUnavailable is what Leases answer without having asked, because asking has
// failed before.
var ErrUnavailable = errors.New("presence is unavailable")

// Leases is who is here, as all nodes know it. Every method may be called
// concurrently, takes one round trip however many users it is about, and is
// quick: it answers or fails within a fraction of a second. After an error it
// is unknown whether it took effect; all but Sweep may then be called again.
type Leases interface {
	// Renew makes or prolongs leases, and answers in the order of the reports.
	Renew(ctx context.Context, reports []Report) ([]Renewed, error)
	// Release ends leases before their time; what has ended already is no error.
	Release(ctx context.Context, reports []Report) error
	// Read answers in the order of the users.
	Read(ctx context.Context, userIDs []string) ([]Reading, error)
	// Sweep gives people who went offline, each to one caller only, over all
	// nodes. Every node calls it once a second.
	Sweep(ctx context.Context) (Swept, error)
}

// Lease is one connection of a user. The id is unique among all connections.
type Lease struct {
	ID, UserID string
}

// Report is what a node says of a connection: its lease, and for how long its
// user has done nothing as far as the node knows. Negative: it does not know;
// then what is known stays, and a person of whom nothing is known is active now.
type Report struct {
	Lease

	Idle time.Duration
}

// Renewed answers a renewal: whether the user was not here before it, and how
// long ago they were last active on any node.
type Renewed struct {
	Appeared bool
	Idle     time.Duration
}

// Reading is what is known of a user. Known says whether their absence would be
// known: it does not depend on whether they are here.
type Reading struct {
	Here, Known  bool
	Idle         time.Duration
	LastActiveAt chat.Time // by the clock of the leases; 0: not known
}

// Swept is what a sweep found. Lost says that since the caller's last sweep
// leases may have got lost, or run out while nobody could renew them: whoever
// holds leases renews all of them now. Absence is known again 10 s later.
type Swept struct {
	Gone []Departure
	Lost bool
}

// Departure is a person who went offline. LastActiveAt is 0 when it is not known.
type Departure struct {
	UserID       string
	LastActiveAt chat.Time
}
