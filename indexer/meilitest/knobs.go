package meilitest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

type knobs struct {
	key    string
	status int
	delay  time.Duration
	lifted chan struct{} // closed unless requests hang
	held   bool          // tasks stay in the queue
	fault  failure       // of tasks, when poisoned is not nil
	poison func(Document) bool
}

// Counts is what a server was asked since its start.
type Counts struct {
	Requests     int
	ByRoute      map[string]int // "POST /indexes/{uid}/search": 3
	Batches      int            // requests that brought documents
	MaxDocuments int            // in one of them
	MaxBytes     int            // in the body of one request
}

// Counts is a copy.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.ByRoute = maps.Clone(c.ByRoute)
	return c
}

// RequireKey lets nobody in without the key any more, but to ask for the health.
func (s *Server) RequireKey(key string) { s.set(func(k *knobs) { k.key = key }) }

// SetStatus makes the status the answer to every request, as a proxy in front of
// the server would give it; 0 ends that.
func (s *Server) SetStatus(code int) { s.set(func(k *knobs) { k.status = code }) }

// SetDelay makes every answer wait.
func (s *Server) SetDelay(d time.Duration) { s.set(func(k *knobs) { k.delay = d }) }

// Hang keeps requests without an answer, until lift is called or the client goes.
func (s *Server) Hang() (lift func()) {
	gate := make(chan struct{})
	s.set(func(k *knobs) { k.lifted = gate })
	return func() {
		s.set(func(k *knobs) {
			if k.lifted == gate {
				k.lifted = closedChannel()
				close(gate)
			}
		})
	}
}

// HoldTasks keeps tasks enqueued until release is called.
func (s *Server) HoldTasks() (release func()) {
	s.set(func(k *knobs) { k.held = true })
	return func() { s.set(func(k *knobs) { k.held = false }) }
}

// FailTasks makes tasks fail, with an error of a type (invalid_request, internal,
// system) and a code, that bring a document of which poisoned is true. Nil ends it.
func (s *Server) FailTasks(kind, code string, poisoned func(Document) bool) {
	s.set(func(k *knobs) {
		k.fault, k.poison = failure{kind, code, "Made to fail."}, poisoned
	})
}

// LoseQueue forgets all tasks, done or not, as a server does whose queue was
// thrown away.
func (s *Server) LoseQueue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = nil
}

// Wipe makes the server as new: no indexes, no tasks, which count from 0 again.
func (s *Server) Wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.indexes, s.tasks, s.nextUID = map[string]*index{}, nil, 0
}

// Indexes names them, sorted.
func (s *Server) Indexes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.indexes))
}

// Documents gives those of an index by id, none when there is no such index.
func (s *Server) Documents(uid string) map[string]Document {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.indexes[uid]; i != nil {
		return maps.Clone(i.documents)
	}
	return nil
}

// Edit changes the documents of an index behind everybody's back. It panics
// when there is no such index.
func (s *Server) Edit(uid string, change func(map[string]Document)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.indexes[uid]
	change(i.documents)
	i.order = slices.DeleteFunc(i.order, func(id string) bool { return i.documents[id] == nil })
	for _, id := range slices.Sorted(maps.Keys(i.documents)) {
		if !slices.Contains(i.order, id) {
			i.order = append(i.order, id)
		}
	}
}

func (s *Server) set(change func(*knobs)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.knobs)
	s.nudge()
}

func (s *Server) count(pattern string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts.ByRoute == nil {
		s.counts.ByRoute = map[string]int{}
	}
	s.counts.ByRoute[pattern]++
	s.counts.MaxBytes = max(s.counts.MaxBytes, bytes)
}

// gate is what a request meets before it is looked at.
func (s *Server) gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.counts.Requests++
		k := s.knobs
		s.mu.Unlock()
		if !s.pass(r, k) {
			return
		}
		if k.status != 0 {
			http.Error(w, http.StatusText(k.status), k.status)
			return
		}
		if f, status := unauthorized(r, k.key); status != 0 {
			answer(w, status, f.body())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// pass waits as the knobs say, and is false when the client is gone meanwhile.
func (s *Server) pass(r *http.Request, k knobs) bool {
	select {
	case <-k.lifted:
	case <-r.Context().Done():
		return false
	case <-s.closed:
		return false
	}
	timer := time.NewTimer(k.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.closed:
	}
	return false
}

func unauthorized(r *http.Request, key string) (failure, int) {
	if key == "" || r.URL.Path == "/health" {
		return failure{}, 0
	}
	given, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return failure{"auth", "missing_authorization_header", "The Authorization header is missing. It must use the bearer authorization method."}, http.StatusUnauthorized
	}
	if given != key {
		return failure{"auth", "invalid_api_key", "The provided API key is invalid."}, http.StatusForbidden
	}
	return failure{}, 0
}
