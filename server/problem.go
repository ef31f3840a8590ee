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

// Problem is an error as clients see it (RFC 9457), over REST and the WebSocket alike.
type Problem struct {
	Type         string        `json:"type" doc:"about:blank: the code identifies the problem"`
	Title        string        `json:"title"`
	Status       int           `json:"status"`
	Detail       string        `json:"detail"`
	Code         chat.Code     `json:"code"`
	RetryAfterMS int64         `json:"retry_after_ms,omitempty"`
	Message      *chat.Message `json:"message,omitempty" doc:"of an edit's conflict: the current message"`
	Challenge    string        `json:"challenge,omitempty" doc:"of second_factor: what the second step answers"`
	Methods      []chat.Method `json:"methods,omitempty" doc:"of second_factor: totp, recovery_code, passkey"`
}

// retryDefault is for refusals that do not know when a retry makes sense.
const retryDefault = time.Second

// statusOf is the one mapping from a code to its HTTP status.
func statusOf(code chat.Code) int {
	switch code {
	case chat.BadRequest:
		return http.StatusBadRequest
	case chat.Unauthenticated, chat.SecondFactor:
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

// problemOf turns any error into what the client may know of it. What is not a
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
		e = chat.Errorf(chat.Unavailable, "the request took too long")
	default:
		e = chat.Errorf(chat.Internal, "internal error")
	}
	p = newProblem(statusOf(e.Code), e.Code, e.Detail)
	p.Message = e.Current
	if e.Next != nil {
		p.Challenge, p.Methods = e.Next.Challenge, e.Next.Methods
	}
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

// GetStatus, GetHeaders and ContentType let huma answer with a problem.
func (p Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers that belong to the problem.
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
	// An error here means that the client has gone; nobody is left to tell.
	_, _ = w.Write(body)
}
