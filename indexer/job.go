package indexer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Job is a rebuild of the whole index, as whoever wants it and the node that
// keeps the index tell each other.
type Job struct {
	ID    string   `json:"id"`
	State JobState `json:"state"`
	Done  int64    `json:"done"`
	Total int64    `json:"total"`
}

// JobState is how far a job is.
type JobState string

// A job goes from one to the next.
const (
	JobRequested JobState = "requested"
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
)

// tellEvery is how often the progress of a job is written down.
const tellEvery = 500 * time.Millisecond

// RequestRebuild asks the node that keeps the index to make it anew. It replaces
// a request that was made before.
func RequestRebuild(ctx context.Context, store Leases, id string) error {
	return saveJob(ctx, store, Job{ID: id, State: JobRequested})
}

// ReadJob gives the last job that was requested; its ID is "" when there was none.
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

// runJob does what was requested, or what a node that died had begun.
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
				x.log.Debug("the progress of a rebuild is not told", "error", err)
			}
		}
	})
	if err != nil {
		return err
	}
	j.State = JobDone
	return tellJob(ctx, x.store, j)
}

// tellJob says how far a job is, unless another was requested meanwhile, which is
// then made after it.
func tellJob(ctx context.Context, store Leases, j Job) error {
	last, err := ReadJob(ctx, store)
	if err != nil || last.ID != j.ID {
		return err
	}
	return saveJob(ctx, store, j)
}
