package meilitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

type object = map[string]any

// request is one that passed the gate, with its body read.
type request struct {
	*http.Request
	body []byte
}

// failure is an error as Meilisearch words it.
type failure struct{ kind, code, message string }

func (f failure) body() object {
	return object{
		"message": f.message, "code": f.code, "type": f.kind,
		"link": "https://docs.meilisearch.com/errors#" + f.code,
	}
}

func invalid(code, format string, args ...any) failure {
	return failure{"invalid_request", code, fmt.Sprintf(format, args...)}
}

func noIndex(uid string) failure {
	return invalid("index_not_found", "Index `%s` not found.", uid)
}

// serve reads the body, and answers as handle says.
func (s *Server) serve(pattern string, handle func(*request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, payloadLimit+1))
		if err != nil {
			return // the client has gone
		}
		s.count(pattern, len(body))
		if f, bad := checkBody(r, body); bad != 0 {
			answer(w, bad, f.body())
			return
		}
		status, value := handle(&request{r, body})
		answer(w, status, value)
	}
}

func checkBody(r *http.Request, body []byte) (failure, int) {
	if r.Method != http.MethodPost && r.Method != http.MethodPatch {
		return failure{}, 0
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	ndjson := strings.HasSuffix(r.URL.Path, "/documents")
	switch {
	case len(body) > payloadLimit:
		return invalid("payload_too_large", "The provided payload reached the size limit. The maximum accepted payload size is 100 MB."), http.StatusRequestEntityTooLarge
	case kind == "":
		return invalid("missing_content_type", "A Content-Type header is missing. Accepted values for the Content-Type header are: `application/json`"), http.StatusUnsupportedMediaType
	case kind != "application/json" && (kind != "application/x-ndjson" || !ndjson):
		return invalid("invalid_content_type", "The Content-Type `%s` is invalid. Accepted values for the Content-Type header are: `application/json`", kind), http.StatusUnsupportedMediaType
	}
	return failure{}, 0
}

func answer(w http.ResponseWriter, status int, value any) {
	if f, ok := value.(failure); ok {
		value = f.body()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client may have gone
}

// decode reads the body into value, and says what Meilisearch would of an unknown
// or a wrong field.
func (r *request) decode(value any) (failure, bool) {
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	err := decoder.Decode(value)
	switch {
	case err == nil:
		return failure{}, true
	case strings.Contains(err.Error(), "unknown field"):
		return invalid("bad_request", "Unknown field: %v", err), false
	case json.Valid(r.body):
		return invalid("bad_request", "Invalid value type: %v", err), false
	}
	return invalid("malformed_payload", "The json payload provided is malformed. `%v`.", err), false
}

// number is a number of the request's query.
func (r *request) number(name string, otherwise int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil {
		return otherwise
	}
	return n
}

// list is a list of the request's query, nil when it is not there.
func (r *request) list(name string) []string {
	text := r.URL.Query().Get(name)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// part is what offset and limit leave of a list.
func part[T any](list []T, offset, limit int) []T {
	offset = min(max(offset, 0), len(list))
	return list[offset:min(offset+max(limit, 0), len(list))]
}
