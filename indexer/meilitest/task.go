package meilitest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// task is a change in the queue.
type task struct {
	uid                         int
	index                       string // "" of a swap
	kind, status                string
	enqueued, started, finished time.Time
	err                         *failure
	documents                   []Document // that it brings
	do                          func() *failure
}

// enqueue answers as the server does who has only noted the task. do is run later,
// with s.mu held.
func (s *Server) enqueue(t *task) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.uid, t.status, t.enqueued = s.nextUID, "enqueued", time.Now()
	s.nextUID++
	s.tasks = append(s.tasks, t)
	s.nudge()
	return http.StatusAccepted, object{
		"taskUid": t.uid, "indexUid": orNull(t.index), "status": t.status, "type": t.kind, "enqueuedAt": timestamp(t.enqueued),
	}
}

func (s *Server) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// work does the tasks one after the other until the server is closed.
func (s *Server) work() {
	for {
		for s.begin() {
			s.finish()
		}
		select {
		case <-s.wake:
		case <-s.closed:
			return
		}
	}
}

// begin and finish are two steps so that a task can be seen, and lost, between them.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.knobs.held {
		return false
	}
	for _, t := range s.tasks {
		if t.status == "enqueued" {
			t.status, t.started = "processing", time.Now()
			return true
		}
	}
	return false
}

func (s *Server) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.status != "processing" {
			continue
		}
		t.err = s.poisoned(t)
		if t.err == nil {
			t.err = t.do()
		}
		t.status, t.finished = "succeeded", time.Now()
		if t.err != nil {
			t.status = "failed"
		}
	}
}

func (s *Server) poisoned(t *task) *failure {
	if s.knobs.poison != nil && slices.ContainsFunc(t.documents, s.knobs.poison) {
		fault := s.knobs.fault
		return &fault
	}
	return nil
}

func (t *task) body() object {
	o := object{
		"uid": t.uid, "batchUid": nil, "indexUid": orNull(t.index), "status": t.status, "type": t.kind,
		"canceledBy": nil, "details": object{}, "error": nil, "duration": nil,
		"enqueuedAt": timestamp(t.enqueued), "startedAt": timestamp(t.started), "finishedAt": timestamp(t.finished),
	}
	if t.status != "enqueued" {
		o["batchUid"] = t.uid
	}
	if !t.finished.IsZero() {
		o["duration"] = "PT" + strconv.FormatFloat(t.finished.Sub(t.started).Seconds(), 'f', 9, 64) + "S"
	}
	if t.err != nil {
		o["error"] = t.err.body()
	}
	return o
}

func (s *Server) getTask(r *request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if strconv.Itoa(t.uid) == r.PathValue("task") {
			return http.StatusOK, t.body()
		}
	}
	return http.StatusNotFound, invalid("task_not_found", "Task `%s` not found.", r.PathValue("task"))
}

// listTasks lists the newest first.
func (s *Server) listTasks(r *request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := r.number("limit", 20)
	found := []object{}
	for _, t := range slices.Backward(s.tasks) {
		if wants(r, "uids", strconv.Itoa(t.uid)) && wants(r, "indexUids", t.index) &&
			wants(r, "statuses", t.status) && wants(r, "types", t.kind) {
			found = append(found, t.body())
		}
	}
	o := object{"results": part(found, 0, limit), "total": len(found), "limit": limit, "from": nil, "next": nil}
	if len(found) > 0 {
		o["from"] = found[0]["uid"]
	}
	if len(found) > limit {
		o["next"] = found[limit]["uid"]
	}
	return http.StatusOK, o
}

func wants(r *request, name, value string) bool {
	list := r.list(name)
	return list == nil || slices.Contains(list, value)
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
