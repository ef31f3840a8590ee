// Package meilitest is a small Meilisearch for tests: the part of its HTTP API that
// a message index needs, with its queue of tasks, its status codes and its errors,
// and with knobs for what goes wrong. Documents are in memory. What it finds is what
// Meilisearch finds in simple cases: words, the last as a beginning, typos by the
// length of the word, phrases, exclusion; Chinese, Japanese, Korean and Thai by
// their characters. Its order knows typos and, if the settings say so, created_at.
package meilitest

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// payloadLimit is what Meilisearch takes in one request unless told otherwise.
const payloadLimit = 100 << 20

// Server is a running fake. Its methods may be called concurrently.
type Server struct {
	URL string

	http   *httptest.Server
	wake   chan struct{} // there may be a task to do
	closed chan struct{}
	worker sync.WaitGroup

	mu      sync.Mutex
	indexes map[string]*index
	tasks   []*task // by uid, without what was lost
	nextUID int
	knobs   knobs
	counts  Counts
}

// Start starts a server, which ends with the test.
func Start(t testing.TB) *Server {
	s := &Server{
		wake:    make(chan struct{}, 1),
		closed:  make(chan struct{}),
		indexes: map[string]*index{},
		knobs:   knobs{lifted: closedChannel()},
	}
	s.http = httptest.NewServer(s.gate(s.routes()))
	s.URL = s.http.URL
	s.worker.Go(s.work)
	t.Cleanup(s.close)
	return s
}

func (s *Server) close() {
	close(s.closed)
	s.http.CloseClientConnections()
	s.http.Close()
	s.worker.Wait()
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*request) (int, any){
		"GET /health":                                s.health,
		"GET /version":                               s.version,
		"GET /indexes":                               s.listIndexes,
		"POST /indexes":                              s.createIndex,
		"GET /indexes/{uid}":                         s.getIndex,
		"DELETE /indexes/{uid}":                      s.deleteIndex,
		"GET /indexes/{uid}/settings":                s.getSettings,
		"PATCH /indexes/{uid}/settings":              s.updateSettings,
		"GET /indexes/{uid}/stats":                   s.stats,
		"POST /indexes/{uid}/documents":              s.addDocuments,
		"POST /indexes/{uid}/search":                 s.search,
		"POST /swap-indexes":                         s.swapIndexes,
		"GET /tasks":                                 s.listTasks,
		"GET /tasks/{task}":                          s.getTask,
		"POST /indexes/{uid}/documents/fetch":        s.fetchDocuments,
		"POST /indexes/{uid}/documents/delete-batch": s.deleteDocuments,
	} {
		mux.HandleFunc(pattern, s.serve(pattern, handle))
	}
	return mux
}

func (s *Server) health(*request) (int, any) {
	return http.StatusOK, object{"status": "available"}
}

func (s *Server) version(*request) (int, any) {
	return http.StatusOK, object{"commitSha": "unknown", "commitDate": "unknown", "pkgVersion": "1.50.0"}
}

func timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func closedChannel() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
