package indexer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Job is a rebuild of the whole index, through which its requester and the node that
// keeps the index communicate.
type Job struct {
	ID    string   `json:"id"`
	State JobState `json:"state"`
	Done  int64    `json:"done"`
	Total int64    `json:"total"`
}

// JobState is the state of a job.
type JobState string

// The states of a job, in order.
const (
	JobRequested JobState = "requested"
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
)

// tellEvery is how often the progress of a job is saved.
const tellEvery = 500 * time.Millisecond

// RequestRebuild asks the node that keeps the index to rebuild it. It replaces an
// earlier request.
func RequestRebuild(ctx context.Context, store Leases, id string) error {
	return saveJob(ctx, store, Job{ID: id, State: JobRequested})
}

// ReadJob returns the last requested job; its ID is "" if there is none.
func ReadJob(ctx context.Context, store Leases) (j Job, err error) {
	text, err := store.IndexJob(ctx)
	if err != nil || text == "" {
		return Job{}, err
	}
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return Job{}, fmt.Errorf("read index job: %w", err)
	}
	return j, nil
}

func saveJob(ctx context.Context, store Leases, j Job) error {
	text, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encode index job: %w", err)
	}
	return store.SaveIndexJob(ctx, string(text))
}

// runJob runs a job that was requested, or that a dead node had begun.
func (x *Indexer) runJob(ctx context.Context) error {
	j, err := ReadJob(ctx, x.store)
	if err != nil || j.State != JobRequested && j.State != JobRunning {
		return err
	}
	j.State = JobRunning
	told := time.Time{}
	err = x.rebuild(ctx, func(done, total int64) {
		if j.Done, j.Total = done, total; time.Since(told) >= tellEvery {
			told = time.Now()
			if err := tellJob(ctx, x.store, j); err != nil {
				x.log.Debug("cannot save the progress of a rebuild", "error", err)
			}
		}
	})
	if err != nil {
		return err
	}
	j.State = JobDone
	return tellJob(ctx, x.store, j)
}

// tellJob saves the state of a job, unless another one was requested in the
// meantime, which then runs after it.
func tellJob(ctx context.Context, store Leases, j Job) error {
	last, err := ReadJob(ctx, store)
	if err != nil || last.ID != j.ID {
		return err
	}
	return saveJob(ctx, store, j)
}
