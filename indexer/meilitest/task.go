package meilitest

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// task is a change in the queue.
type task struct {
	uid          int
	index        string // "" for a swap
	kind, status string
	enqueued     time.Time
	failure      *failure
	documents    []Document // that it adds
	do           func() *failure
}

// enqueue acknowledges a task, which runs later.
func (s *Server) enqueue(t *task) (any, *failure) {
	t.uid, t.status, t.enqueued = s.nextUID, "enqueued", time.Now()
	s.nextUID++
	s.tasks = append(s.tasks, t)
	return t, nil
}

// MarshalJSON encodes a task both as acknowledged and as listed.
func (t *task) MarshalJSON() ([]byte, error) {
	o := object{"uid": t.uid, "taskUid": t.uid, "indexUid": t.index, "status": t.status, "type": t.kind,
		"enqueuedAt": t.enqueued.UTC().Format(time.RFC3339Nano)}
	if t.failure != nil {
		o["error"] = t.failure.body()
	}
	return json.Marshal(o)
}

func (s *Server) runTasks() {
	for _, t := range s.tasks {
		if t.status != "enqueued" || s.faults.held {
			continue
		}
		if p := s.faults.poisoned; p != nil && slices.ContainsFunc(t.documents, p) {
			t.failure = s.faults.failure
		} else {
			t.failure = t.do()
		}
		t.status = "succeeded"
		if t.failure != nil {
			t.status = "failed"
		}
	}
}

// listTasks runs what is enqueued and lists tasks, newest first.
func (s *Server) listTasks(r *request) (any, *failure) {
	s.runTasks()
	found := []*task{}
	for _, t := range slices.Backward(s.tasks) {
		if r.wants("uids", strconv.Itoa(t.uid)) && r.wants("indexUids", t.index) && r.wants("statuses", t.status) && r.wants("types", t.kind) {
			found = append(found, t)
		}
	}
	return object{"results": found, "total": len(found), "limit": len(found)}, nil
}
