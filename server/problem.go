package server

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"

	"fechatter/chat"
)

const problemType = "application/problem+json"

// Problem is an error as clients see it (RFC 9457), over REST and WebSocket alike.
type Problem struct {
	Type         string        `json:"type" doc:"about:blank: the code says it all"`
	Title        string        `json:"title"`
	Status       int           `json:"status"`
	Detail       string        `json:"detail"`
	Code         chat.Code     `json:"code"`
	RetryAfterMS int64         `json:"retry_after_ms,omitempty"`
	Message      *chat.Message `json:"message,omitempty" doc:"of an edit's conflict: the message as it is now"`
}

// retryDefault is told when nobody knows better when a retry makes sense.
const retryDefault = time.Second

// statusOf is the one map from a code to its HTTP status.
func statusOf(code chat.Code) int {
	switch code {
	case chat.BadRequest:
		return http.StatusBadRequest
	case chat.Unauthenticated:
		return http.StatusUnauthorized
	case chat.Forbidden:
		return http.StatusForbidden
	case chat.NotFound:
		return http.StatusNotFound
	case chat.Conflict:
		return http.StatusConflict
	case chat.TooLarge:
		return http.StatusRequestEntityTooLarge
	case chat.KeyReused:
		return http.StatusUnprocessableEntity
	case chat.RateLimited:
		return http.StatusTooManyRequests
	case chat.Unavailable, chat.Overloaded, chat.UnknownOutcome:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problemOf turns any error into what its caller may know of it. What is not a
// *chat.Error is internal, and its text stays here.
func problemOf(err error) Problem {
	var p Problem
	if errors.As(err, &p) {
		return p
	}
	var e *chat.Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = chat.Errorf(chat.Unavailable, "this took too long")
	default:
		e = chat.Errorf(chat.Internal, "something went wrong here")
	}
	p = newProblem(statusOf(e.Code), e.Code, e.Detail)
	p.Message = e.Current
	if retry := e.RetryAfter; p.retries() {
		if retry <= 0 {
			retry = retryDefault
		}
		p.RetryAfterMS = max(1, (retry + time.Millisecond - 1).Milliseconds())
	}
	return p
}

func newProblem(status int, code chat.Code, detail string) Problem {
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

func (p Problem) retries() bool {
	return p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable
}

// Error makes a Problem an error, so that a handler can answer with one.
func (p Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus, GetHeaders and ContentType are how huma answers with an error.
func (p Problem) GetStatus() int { return p.Status }

// GetHeaders gives the headers that belong to the problem.
func (p Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if p.RetryAfterMS > 0 {
		h.Set("Retry-After", strconv.FormatInt((p.RetryAfterMS+999)/1000, 10))
	}
	return h
}

// ContentType is the media type of a problem, whatever was negotiated.
func (p Problem) ContentType(string) string { return problemType }

// write answers a plain HTTP request with the problem.
func (p Problem) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", problemType)
	body, err := encode(p)
	if err != nil {
		body, _ = json.Marshal(newProblem(p.Status, chat.Internal, "")) // plain fields: cannot fail
	}
	w.WriteHeader(p.Status)
	// An error here is the client's going away; there is nobody left to tell.
	_, _ = w.Write(body)
}
