// Package jobs does work that must happen although nodes die: mail, and whatever else is
// put into the table of jobs. Every kind has its own workers, so that none holds up
// another, and its own bounds.
//
// A job is claimed for a time, by the database's clock. Whoever claimed it works for three
// quarters of that at most, and then says what became of it; if the node is dead by then,
// the claim runs out and another node does the work. So a job is done at least once, and
// by one node at a time. What fails is tried again after a pause that grows and is drawn by
// lot; what fails too often becomes a dead letter, which an administrator sees.
//
// The package knows neither what jobs do nor where they are kept.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"fechatter/chat"
)

// Store keeps the jobs. Its methods are called concurrently. Those that end a claim report
// whether it was still the caller's, and change nothing if it was not.
type Store interface {
	NextJob(ctx context.Context, kind chat.JobKind) (in time.Duration, known bool, err error)
	ClaimJobs(ctx context.Context, kind chat.JobKind, lasts time.Duration, limit int) ([]chat.ClaimedJob, error)
	FinishJob(ctx context.Context, j chat.ClaimedJob) (ours bool, err error)
	RetryJob(ctx context.Context, j chat.ClaimedJob, in time.Duration, problem string) (ours bool, err error)
	ReleaseJob(ctx context.Context, j chat.ClaimedJob) (ours bool, err error)
	BuryJob(ctx context.Context, j chat.ClaimedJob, problem string) (ours bool, err error)
	CountJobs(ctx context.Context) ([]chat.JobCount, error)
}

// Kind is how jobs of a kind are done.
type Kind struct {
	Name chat.JobKind
	// Workers is how many are at work at once on this node.
	Workers int
	// Claim is how long a claim lasts. All nodes must agree on it.
	Claim time.Duration
	// Attempts is how often a job is tried before it is dead; the times that a node died
	// at it count. After Give it is not tried again, whatever the attempts; 0: no limit.
	Attempts int
	Give     time.Duration
	// Pause is the longest pause after the first failure; it doubles up to MaxPause.
	Pause, MaxPause time.Duration
	// Do does a job. It is called concurrently, and must return soon after ctx ends. An
	// error of Hopeless is final, and ErrDone says that it has ended the claim itself.
	Do func(ctx context.Context, j chat.ClaimedJob) error
}

// ErrDone is what Do returns if it has ended the claim in its own transaction.
var ErrDone = errors.New("the claim has been ended")

type hopeless struct{ error }

func (h hopeless) Unwrap() error { return h.error }

// Hopeless returns an error that no further attempt can mend.
func Hopeless(err error) error { return hopeless{err} }

const (
	// lookEvery is how often the database is asked for work that nobody told this node
	// of: what a dead node left behind.
	lookEvery = 4 * time.Second
	// troubled is how long to wait after the database has failed.
	troubled = time.Second
	// countEvery is how often the jobs are counted for health and metrics.
	countEvery = 15 * time.Second
	// grace is how long those at work may go on when the node stops.
	grace = 5 * time.Second
	// wordTimeout bounds one attempt to tell the database what became of a job, and
	// lastWord all of them while the node stops.
	wordTimeout = 5 * time.Second
	lastWord    = 3 * time.Second
)

// Runner runs the workers of all kinds. Its methods may be called concurrently.
type Runner struct {
	store    Store
	announce func(chat.JobKind) // may be nil
	log      *slog.Logger
	crews    map[chat.JobKind]*crew
	tally    *tally

	grace time.Duration // the constant, except in tests
}

// New returns a runner that does nothing before Run. announce tells the other nodes that there
// is work, and must not block; nil: there are none.
func New(store Store, announce func(chat.JobKind), log *slog.Logger, kinds ...Kind) *Runner {
	r := &Runner{store: store, announce: announce, log: log, crews: map[chat.JobKind]*crew{}, tally: newTally(kinds), grace: grace}
	for _, k := range kinds {
		r.crews[k.Name] = &crew{Kind: k, run: r, wake: make(chan struct{}, 1)}
	}
	return r
}

// Put has the workers of these kinds look for work at once, and, if they are all busy, those
// of other nodes. It never blocks.
func (r *Runner) Put(kinds []chat.JobKind) {
	for _, kind := range kinds {
		if c := r.crews[kind]; c != nil {
			c.fresh.Store(true)
			c.look()
		}
	}
}

// Wake is Put for work of which another node has told. Kinds that nobody knows are ignored.
func (r *Runner) Wake(kind chat.JobKind) {
	if c := r.crews[kind]; c != nil {
		c.look()
	}
}

// Run does jobs until ctx ends. Then it claims no more, lets those at work go on for a
// few seconds, gives back what is not done by then, and returns.
func (r *Runner) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, c := range r.crews {
		all.Go(func() { c.work(ctx) })
	}
	all.Go(func() { r.keepCount(ctx) })
	all.Wait()
	return nil
}
