package chat

import (
	"context"
	"time"
)

// JobKind names what a job does. Every kind has its own workers.
type JobKind string

// Job is work that is done after the transaction that causes it, on whatever node. It is
// done at least once, and by one node at a time; that it was done is known once.
type Job struct {
	Kind JobKind
	// Key tells the jobs of a kind apart. A job with the key of one that is there takes its
	// place; if that one is at work, the new one follows it.
	Key string
	// Keep leaves the one that is there as it is, its attempts and its time included; if it
	// is at work, it runs once more.
	Keep    bool
	Payload []byte // JSON
	DueAt   Time   // by the database's clock; 0: at once
}

// ClaimedJob is a job that its claimer alone may work at until the claim runs out.
type ClaimedJob struct {
	Job
	Claim    string
	Version  int64
	Attempts int // this one included
	Age      time.Duration
}

// DeadJob is one that nobody tries any more: see Service.DeadJobs. Its payload stays hidden.
type DeadJob struct {
	Kind      JobKind `json:"kind"`
	Key       string  `json:"key"`
	CreatedAt Time    `json:"created_at"`
	DeadAt    Time    `json:"dead_at"`
	Attempts  int     `json:"attempts"`
	Problem   string  `json:"problem"`
}

// JobCount is how many jobs of a kind there are.
type JobCount struct {
	Kind    JobKind       `json:"kind"`
	Waiting int           `json:"waiting"` // for their time or for a worker
	Claimed int           `json:"at_work"`
	Dead    int           `json:"dead"`
	Late    time.Duration `json:"-"` // since when the one that waits longest is due; 0: none is
}

// JobStore is what administrators see of jobs.
type JobStore interface {
	CountJobs(ctx context.Context) ([]JobCount, error)
	// DeadJobs lists the dead letters, newest first.
	DeadJobs(ctx context.Context, p Page) (jobs []DeadJob, next string, err error)
}

// JobTx changes dead letters.
type JobTx interface {
	// ReviveJob makes a dead job due at once, as if nobody had tried it. Errors: not_found.
	ReviveJob(ctx context.Context, kind JobKind, key string) error
	// DropJob deletes a dead job. Errors: not_found.
	DropJob(ctx context.Context, kind JobKind, key string) error
}

// CountJobs returns how many jobs there are by kind; for administrators.
func (s *Service) CountJobs(ctx context.Context, actor Actor) ([]JobCount, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return nil, err
	}
	return s.store.CountJobs(ctx)
}

// DeadJobs lists the jobs that failed for good, newest first; for administrators.
func (s *Service) DeadJobs(ctx context.Context, actor Actor, p Page) ([]DeadJob, string, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return nil, "", err
	}
	return s.store.DeadJobs(ctx, p)
}

// ReviveJob has a dead job tried again; for administrators. Errors: not_found.
func (s *Service) ReviveJob(ctx context.Context, actor Actor, kind JobKind, key string) error {
	return s.judgeJob(ctx, actor, AuditJobRevived, kind, key, AdminTx.ReviveJob)
}

// DropJob deletes a dead job; for administrators. Errors: not_found.
func (s *Service) DropJob(ctx context.Context, actor Actor, kind JobKind, key string) error {
	return s.judgeJob(ctx, actor, AuditJobDropped, kind, key, AdminTx.DropJob)
}

func (s *Service) judgeJob(ctx context.Context, actor Actor, action Action, kind JobKind, key string,
	judge func(AdminTx, context.Context, JobKind, string) error) error {
	if validText("kind", string(kind), 1, maxJobName) != nil || validText("key", key, 1, maxJobName) != nil {
		return noJob()
	}
	return s.administer(ctx, actor, "", func(ctx context.Context, tx AdminTx) (audit, error) {
		return audit{action, string(kind) + " " + key}, judge(tx, ctx, kind, key)
	})
}

// maxJobName bounds the kinds and keys that an administrator may ask for.
const maxJobName = 200

func noJob() error { return Errorf(NotFound, "there is no such dead job") }
