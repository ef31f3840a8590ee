package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
)

func TestProblemOf(t *testing.T) {
	for code, status := range map[chat.Code]int{
		chat.BadRequest: 400, chat.Unauthenticated: 401, chat.Forbidden: 403, chat.NotFound: 404, chat.Conflict: 409,
		chat.TooLarge: 413, chat.KeyReused: 422, chat.RateLimited: 429, chat.Internal: 500, chat.Unavailable: 503,
		chat.Overloaded: 503, chat.UnknownOutcome: 503, chat.SecondFactor: 401,
	} {
		p := problemOf(fmt.Errorf("handle: %w", chat.Errorf(code, "detail")))
		if p.Status != status || p.Code != code || p.Detail != "detail" || p.Title == "" || p.Type == "" {
			t.Errorf("%s: got %+v, want status %d", code, p, status)
		}
		if retries := status == 429 || status == 503; (p.RetryAfterMS > 0) != retries || (p.GetHeaders().Get("Retry-After") != "") != retries {
			t.Errorf("%s: retry_after_ms %d, headers %v", code, p.RetryAfterMS, p.GetHeaders())
		}
	}
	if got := len(codes()); got != 13 {
		t.Errorf("codes lists %d, the contract has 13", got)
	}
}

func TestProblemKeepsSecrets(t *testing.T) {
	for _, err := range []error{errors.New("dial tcp 10.0.0.7: refused"), chat.Wrap(chat.Unavailable, errors.New("dial tcp 10.0.0.7: refused"), "later")} {
		body, encodeErr := json.Marshal(problemOf(err))
		if encodeErr != nil {
			t.Fatal(encodeErr)
		}
		if p := string(body); len(p) == 0 || strings.Contains(p, "10.0.0.7") || strings.Contains(p, "dial") {
			t.Errorf("leaks: %s", p)
		}
	}
}

func TestProblemOfContextIsUnavailable(t *testing.T) {
	for _, err := range []error{context.Canceled, fmt.Errorf("read: %w", context.DeadlineExceeded)} {
		if p := problemOf(err); p.Code != chat.Unavailable {
			t.Errorf("%v: got %s", err, p.Code)
		}
	}
}

func TestProblemRoundsRetryAfterUp(t *testing.T) {
	for wait, want := range map[time.Duration]struct {
		ms      int64
		seconds string
	}{
		time.Microsecond:               {1, "1"},
		time.Second:                    {1000, "1"},
		time.Second + time.Microsecond: {1001, "2"},
		2500 * time.Millisecond:        {2500, "3"},
	} {
		p := problemOf(&chat.Error{Code: chat.Overloaded, RetryAfter: wait})
		if p.RetryAfterMS != want.ms || p.GetHeaders().Get("Retry-After") != want.seconds {
			t.Errorf("%v: got %d ms, %q s; want %v", wait, p.RetryAfterMS, p.GetHeaders().Get("Retry-After"), want)
		}
	}
}

func TestProblemWrites(t *testing.T) {
	w := httptest.NewRecorder()
	problemOf(chat.Errorf(chat.Unauthenticated, "log in first")).write(w)
	if w.Code != 401 || w.Header().Get("Content-Type") != problemType || w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("got %d with %v", w.Code, w.Header())
	}
	var p map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"type", "title", "status", "detail", "code"} {
		if p[field] == nil {
			t.Errorf("no %s in %s", field, w.Body)
		}
	}
	if _, ok := p["retry_after_ms"]; ok {
		t.Errorf("retry_after_ms in %s", w.Body)
	}
}
