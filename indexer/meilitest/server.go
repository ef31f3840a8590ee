// Package meilitest is a fake Meilisearch: the part of its HTTP API that the indexer
// uses, with its queue of tasks, its status codes and errors, and with faults on
// demand.
//
// It exists although the other adapters are tested on the real thing: Meilisearch is
// a Rust program that no package registry of the languages used here carries, and no
// real server answers 413, hangs, or loses its queue when told to. What it must get
// right is what the adapter depends on: the syntax of queries and filters, settings
// that decide what can be filtered and sorted, a queue that acknowledges before it
// acts. A task runs only when somebody asks for tasks, so a client that does not wait
// for one never sees its effect. How a text matches is not the adapter's doing, and
// borrowed from indexer.Match. Where MEILI_URL or a meilisearch binary exists, the same
// suite also runs on the real server.
package meilitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

type object = map[string]any

// Server is a running fake. Its methods may be called concurrently.
type Server struct {
	URL string

	mu      sync.Mutex
	indexes map[string]*index
	tasks   []*task // by uid, except lost ones
	nextUID int
	faults  faults
	counts  Counts
	counted sync.Cond // counts have changed
}

// Counts is what a server has been asked since its start.
type Counts struct {
	Requests     int
	ByRoute      map[string]int // "POST /indexes/{uid}/search": 3
	Batches      int            // requests with documents
	MaxDocuments int            // in one of them
	MaxBytes     int            // in the body of one request
}

// Start starts a server, which stops at the end of the test.
func Start(t testing.TB) *Server {
	s := &Server{indexes: map[string]*index{}, counts: Counts{ByRoute: map[string]int{}}}
	s.counted.L = &s.mu
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*request) (any, *failure){
		"GET /health":                                func(*request) (any, *failure) { return object{"status": "available"}, nil },
		"GET /indexes":                               s.listIndexes,
		"POST /indexes":                              s.createIndex,
		"GET /indexes/{uid}":                         s.getIndex,
		"DELETE /indexes/{uid}":                      s.deleteIndex,
		"GET /indexes/{uid}/settings":                s.getSettings,
		"PATCH /indexes/{uid}/settings":              s.updateSettings,
		"GET /indexes/{uid}/stats":                   s.stats,
		"POST /indexes/{uid}/documents":              s.addDocuments,
		"POST /indexes/{uid}/documents/fetch":        s.fetchDocuments,
		"POST /indexes/{uid}/documents/delete-batch": s.deleteDocuments,
		"POST /indexes/{uid}/search":                 s.search,
		"POST /swap-indexes":                         s.swapIndexes,
		"GET /tasks":                                 s.listTasks,
	} {
		mux.HandleFunc(pattern, s.serve(pattern, handle))
	}
	server := httptest.NewServer(mux)
	s.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections() // also ends what hangs
		server.Close()
	})
	return s
}

// serve lets a request meet the faults and then calls handle, with s.mu held.
func (s *Server) serve(pattern string, handle func(*request) (any, *failure)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !s.pass(w, r) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.counts.Requests++
		s.counts.ByRoute[pattern]++
		s.counts.MaxBytes = max(s.counts.MaxBytes, len(body))
		value, f := handle(&request{r, body})
		s.counted.Broadcast()
		answer(w, value, f)
	}
}

// Counts returns a copy of the counts.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.ByRoute = maps.Clone(c.ByRoute)
	return c
}

// Await returns once the counts are as wanted.
func (s *Server) Await(wanted func(Counts) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !wanted(s.counts) {
		s.counted.Wait()
	}
}

// failure is an error as Meilisearch words it.
type failure struct {
	status              int
	kind, code, message string
}

func (f *failure) body() object {
	return object{"message": f.message, "code": f.code, "type": f.kind, "link": "https://docs.meilisearch.com/errors#" + f.code}
}

func invalid(code, format string, args ...any) *failure {
	return &failure{http.StatusBadRequest, "invalid_request", code, fmt.Sprintf(format, args...)}
}

func answer(w http.ResponseWriter, value any, f *failure) {
	status := http.StatusOK
	if f != nil {
		status, value = f.status, f.body()
	} else if _, enqueued := value.(*task); enqueued {
		status = http.StatusAccepted
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client may have gone
}

// request is an HTTP request whose body has been read.
type request struct {
	*http.Request
	body []byte
}

// decode reads the body into value and refuses unknown fields, as Meilisearch does.
func (r *request) decode(value any) *failure {
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(value); err != nil {
		return invalid("bad_request", "%v", err)
	}
	return nil
}

// wants reports whether a list in the query of the URL allows a value.
func (r *request) wants(name, value string) bool {
	list := r.URL.Query().Get(name)
	return list == "" || strings.Contains(","+list+",", ","+value+",")
}

// part returns what offset and limit leave of a list.
func part[T any](list []T, offset, limit int) []T {
	offset = min(max(offset, 0), len(list))
	return list[offset:min(offset+max(limit, 0), len(list))]
}
