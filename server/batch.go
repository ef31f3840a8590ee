package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fechatter/chat"
)

const (
	maxOperations     = 200
	batchTimeout      = time.Minute
	batchBodyBytes    = 1 << 20 // of the request
	maxOperationsSize = 4 << 20 // bytes of answers, after which nothing more is done
)

type operation struct {
	Method string          `json:"method" doc:"POST, PUT, PATCH, DELETE or GET"`
	Path   string          `json:"path" doc:"such as /chats, with or without /api/v1"`
	Body   json.RawMessage `json:"body,omitempty" doc:"an object"`
	Key    string          `json:"key,omitempty" doc:"the Idempotency-Key of this operation"`
	User   string          `json:"user,omitempty" doc:"in whose name; takes the scope act_as"`
}

type batchInput struct {
	Body struct {
		Operations []operation `json:"operations" required:"true" doc:"at most 200"`
	}
}

type operationResult struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body,omitempty" doc:"what the operation alone would answer"`
}

type batchOutput struct {
	Body struct {
		Results []operationResult `json:"results" doc:"one for each operation, in their order"`
	}
}

// batch does operations one after the other, each as a request of its own by the same caller,
// whatever becomes of the others.
func (s *Server) batch(ctx context.Context, in *batchInput) (*batchOutput, error) {
	if err := s.chat.MayAdminister(ctx, administrator(ctx)); err != nil {
		return nil, err
	}
	if n := len(in.Body.Operations); n < 1 || n > maxOperations {
		return nil, chat.Errorf(chat.BadRequest, "operations must have 1 to %d entries", maxOperations)
	}
	out := &batchOutput{}
	size := 0
	for _, o := range in.Body.Operations {
		var r operationResult
		switch {
		case ctx.Err() != nil:
			r = refusedOperation(chat.Errorf(chat.Unavailable, "not done: those before it took too long"))
		case size > maxOperationsSize:
			r = refusedOperation(chat.Errorf(chat.Unavailable, "not done: the answers before it are too large"))
		default:
			r = s.operate(ctx, o)
		}
		size += len(r.Body)
		out.Body.Results = append(out.Body.Results, r)
	}
	return out, nil
}

func refusedOperation(err error) operationResult {
	p := problemOf(err)
	data, _ := encode(p) // a problem can be encoded
	return operationResult{p.Status, bytes.Clone(data)}
}

// operate serves one operation by the table's own handlers.
func (s *Server) operate(ctx context.Context, o operation) operationResult {
	r, err := s.operationRequest(ctx, o)
	if err != nil {
		return refusedOperation(err)
	}
	_, pattern := s.mux.Handler(r)
	if !s.batchable[pattern] {
		return refusedOperation(chat.Errorf(chat.NotFound, "there is no such operation for a batch: %s %s", o.Method, o.Path))
	}
	began, w := time.Now(), &recorded{header: http.Header{}}
	s.mux.ServeHTTP(w, r)
	_, path, _ := strings.Cut(pattern, " ")
	s.observer.Request(path, o.Method, w.status, time.Since(began))
	return operationResult{w.status, bytes.TrimSpace(w.body.Bytes())}
}

func (s *Server) operationRequest(ctx context.Context, o operation) (*http.Request, error) {
	path := o.Path
	if !strings.HasPrefix(path, v1+"/") {
		path = v1 + path
	}
	if u, err := url.ParseRequestURI(path); err != nil || u.Host != "" {
		return nil, chat.Errorf(chat.BadRequest, "path must be one such as /chats")
	}
	r, err := http.NewRequestWithContext(ctx, o.Method, path, bytes.NewReader(o.Body))
	if err != nil {
		return nil, chat.Wrap(chat.BadRequest, err, "method must be POST, PUT, PATCH, DELETE or GET")
	}
	c := callerOf(ctx)
	r.RemoteAddr = c.at.String() + ":0"
	if c.at.Is6() {
		r.RemoteAddr = "[" + c.at.String() + "]:0"
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	for name, value := range map[string]string{"Idempotency-Key": o.Key, userHeader: o.User} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if len(o.Body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	plain, _ := plainPath(forMux(r))
	return plain, nil
}

// recorded keeps an answer.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorded) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorded) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorded) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
