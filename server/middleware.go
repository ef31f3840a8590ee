package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

const requestIDHeader = "X-Request-Id"

// exchange is what the log and the observer need of one request and its answer. Only
// the request's goroutine touches it.
type exchange struct {
	http.ResponseWriter
	id     string
	route  string
	status int
	cause  error // of an answer without details
}

// WriteHeader notes the status.
func (e *exchange) WriteHeader(status int) {
	if e.status == 0 || e.status < http.StatusOK {
		e.status = status
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write notes the implicit 200.
func (e *exchange) Write(b []byte) (int, error) {
	if e.status == 0 {
		e.status = http.StatusOK
	}
	return e.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

type exchangeKey struct{}

// noteCause keeps for the log why a request failed.
func noteCause(ctx context.Context, err error) {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		e.cause = err
	}
}

// noteRoute keeps for the log and the observer what a request matched.
func noteRoute(ctx context.Context, pattern string) {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		_, path, found := strings.Cut(pattern, " ")
		if !found {
			path = pattern
		}
		e.route = path
	}
}

// observe wraps everything: it names the request, contains its panic, logs and
// counts it.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		e := &exchange{ResponseWriter: w, id: acceptID(r.Header.Get(requestIDHeader))}
		s.protect(w.Header())
		w.Header().Set(requestIDHeader, e.id)
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, e))
		defer func() {
			if v := recover(); v != nil {
				if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(v)
				}
				s.logPanic("request "+e.id, v)
				if e.status == 0 {
					problemOf(fmt.Errorf("panic: %v", v)).write(e)
				}
			}
			s.finish(e, r, time.Since(start))
		}()
		next.ServeHTTP(e, r)
	})
}

func (s *Server) logPanic(where string, v any) {
	s.log.Error("panic", "where", where, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}

func (s *Server) finish(e *exchange, r *http.Request, took time.Duration) {
	if e.status == 0 {
		e.status = http.StatusOK // what net/http answers for a silent handler
	}
	s.observer.Request(e.route, r.Method, e.status, took)
	level := slog.LevelInfo
	switch {
	case isProbe(e.route): // failures are logged by the part that watches
		level = slog.LevelDebug
	case e.status >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("id", e.id), slog.String("method", r.Method), slog.String("route", e.route),
		slog.Int("status", e.status), slog.Duration("took", took)}
	if e.cause != nil {
		attrs = append(attrs, slog.Any("error", e.cause))
	}
	s.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// acceptID keeps the id that a proxy or a client sent if it is fit for a log.
func acceptID(id string) string {
	if len(id) < 1 || len(id) > 64 {
		return rand.Text()
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return rand.Text()
		}
	}
	return id
}

// protect sets the headers that every answer carries; the page sets more.
func (s *Server) protect(h http.Header) {
	if s.origins.secure() {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// sameOrigin refuses unsafe requests from other sites' pages, on every path.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.crossOrigin(r); err != nil {
			s.noteOrigin(r)
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers with the problem of an error, and keeps its cause for the log.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		noteCause(r.Context(), err)
	}
	w.Header().Set("Cache-Control", "no-store")
	p.write(w)
}

// isProbe reports whether machines ask for a path all the time, to see whether the node
// lives.
func isProbe(path string) bool {
	return path == "/livez" || path == "/readyz" || path == "/health" || path == "/health/simple"
}
