package indexer

import (
	"context"
	"errors"
	"time"

	"github.com/meilisearch/meilisearch-go"
)

const (
	firstPoll = 10 * time.Millisecond
	lastPoll  = 100 * time.Millisecond
)

var errQueueLost = errors.New("the server no longer knows the task")

// wait polls until every task has ended, and returns the error of the first that did
// not succeed as a *meiliAnswer. The library's own wait treats a failed task as a
// success. ctx must have a deadline.
func (m *Meili) wait(ctx context.Context, tasks ...*meilisearch.TaskInfo) error {
	uids := make([]int64, len(tasks))
	for i, t := range tasks {
		uids[i] = t.TaskUID
	}
	query := &meilisearch.TasksQuery{UIDS: uids, Limit: int64(len(uids))}
	for wait := firstPoll; ; wait = min(wait*3/2, lastPoll) {
		if !pause(ctx, wait) {
			return ctx.Err()
		}
		found, err := m.client.GetTasks(ctx, query)
		if err != nil {
			return err
		}
		if ended, err := outcome(tasks, found.Results); ended || err != nil {
			return err
		}
	}
}

// outcome reports whether all tasks have ended, and the first failure.
func outcome(tasks []*meilisearch.TaskInfo, found []meilisearch.Task) (bool, error) {
	ended := true
	var failed error
	for _, t := range tasks {
		now, ok := taskOf(t, found)
		switch {
		case !ok:
			return true, errQueueLost
		case now.Status == meilisearch.TaskStatusEnqueued || now.Status == meilisearch.TaskStatusProcessing:
			ended = false
		case now.Status != meilisearch.TaskStatusSucceeded && failed == nil:
			failed = taskError(now)
		}
	}
	if !ended {
		return false, nil
	}
	return true, failed
}

// taskOf finds a task by uid and time, because an emptied server counts from 0 again.
func taskOf(t *meilisearch.TaskInfo, found []meilisearch.Task) (meilisearch.Task, bool) {
	for _, f := range found {
		if f.UID == t.TaskUID && f.EnqueuedAt.Equal(t.EnqueuedAt) {
			return f, true
		}
	}
	return meilisearch.Task{}, false
}

func taskError(t meilisearch.Task) error {
	if t.Status == meilisearch.TaskStatusCanceled {
		return errors.New("the task was canceled")
	}
	return &meiliAnswer{0, string(t.Error.Code), t.Error.Type, t.Error.Message}
}
