package meilitest

import (
	"net/http"
	"sync"
)

type faults struct {
	key      string
	status   int
	hang     chan struct{} // nil unless requests hang
	held     bool          // tasks stay in the queue
	failure  *failure      // of tasks with a poisoned document
	poisoned func(Document) bool
}

func (s *Server) set(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

// RequireKey makes every request but GET /health require the key.
func (s *Server) RequireKey(key string) { s.set(func(f *faults) { f.key = key }) }

// SetStatus makes the status the answer to every request, as a proxy in front of the
// server would; 0 ends that.
func (s *Server) SetStatus(code int) { s.set(func(f *faults) { f.status = code }) }

// Hang leaves requests without an answer until lift is called or the client goes.
func (s *Server) Hang() (lift func()) {
	hang := make(chan struct{})
	s.set(func(f *faults) { f.hang = hang })
	return sync.OnceFunc(func() {
		s.set(func(f *faults) { f.hang = nil })
		close(hang)
	})
}

// HoldTasks keeps tasks enqueued until release is called.
func (s *Server) HoldTasks() (release func()) {
	s.set(func(f *faults) { f.held = true })
	return func() { s.set(func(f *faults) { f.held = false }) }
}

// FailTasks makes tasks fail that add a document of which poisoned is true, with an
// error of a type (invalid_request, internal, system) and a code. Nil ends that.
func (s *Server) FailTasks(kind, code string, poisoned func(Document) bool) {
	s.set(func(f *faults) { f.failure, f.poisoned = &failure{0, kind, code, "Made to fail."}, poisoned })
}

// LoseQueue forgets all tasks, finished or not.
func (s *Server) LoseQueue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = nil
}

// Wipe makes the server like new: no indexes and no tasks, which count from 0 again.
func (s *Server) Wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.indexes, s.tasks, s.nextUID = map[string]*index{}, nil, 0
}

// pass reports whether a request gets through the faults, and answers it if not.
func (s *Server) pass(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	f := s.faults
	s.mu.Unlock()
	if f.hang != nil {
		select {
		case <-f.hang:
		case <-r.Context().Done():
			return false
		}
	}
	given := r.Header.Get("Authorization")
	switch {
	case f.status != 0:
		http.Error(w, http.StatusText(f.status), f.status)
	case f.key == "" || r.URL.Path == "/health" || given == "Bearer "+f.key:
		return true
	case given == "":
		answer(w, nil, &failure{http.StatusUnauthorized, "auth", "missing_authorization_header", "The Authorization header is missing."})
	default:
		answer(w, nil, &failure{http.StatusForbidden, "auth", "invalid_api_key", "The provided API key is invalid."})
	}
	return false
}
