package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"fechatter/security"
)

const (
	// sampleEvery is how long similar warnings and errors are counted together, and
	// sampleFirst how many of them are written at once.
	sampleEvery = 10 * time.Second
	sampleFirst = 3
)

// sampler keeps an outage from filling the log: of similar warnings and errors it writes
// the first few of a period, and at its end the last one with the number of those left
// out. Everything else it passes on.
type sampler struct {
	next  slog.Handler
	scope string // what With and WithGroup have added
	seen  *sampled
}

// sampled is shared by all handlers of a log.
type sampled struct {
	mu   sync.Mutex
	runs map[string]*similarRun
}

// similarRun is the records of one kind in the current period.
type similarRun struct {
	count int
	last  slog.Record
	write func(slog.Record)
	due   *time.Timer
}

func newSampler(next slog.Handler) slog.Handler {
	return sampler{next: next, seen: &sampled{runs: map[string]*similarRun{}}}
}

// Enabled implements slog.Handler.
func (s sampler) Enabled(ctx context.Context, level slog.Level) bool {
	return s.next.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler. The security log samples by itself.
func (s sampler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if slices.ContainsFunc(attrs, security.IsMark) {
		return s.next.WithAttrs(attrs)
	}
	return sampler{s.next.WithAttrs(attrs), fmt.Sprint(s.scope, attrs), s.seen}
}

// WithGroup implements slog.Handler.
func (s sampler) WithGroup(name string) slog.Handler {
	return sampler{s.next.WithGroup(name), s.scope + " " + name, s.seen}
}

// Handle implements slog.Handler.
func (s sampler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn && !s.seen.admit(s.kind(r), r, func(left slog.Record) {
		_ = s.next.Handle(context.WithoutCancel(ctx), left)
	}) {
		return nil
	}
	return s.next.Handle(ctx, r)
}

// kind tells which records are similar: those of one message about one thing.
func (s sampler) kind(r slog.Record) string {
	kind := fmt.Sprint(s.scope, r.Level, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if slices.Contains([]string{"method", "route", "status", "part", "op"}, a.Key) {
			kind += " " + a.String()
		}
		return true
	})
	return kind
}

// admit reports whether to write the record now. write is called at the end of the period
// if any was left out.
func (s *sampled) admit(kind string, r slog.Record, write func(slog.Record)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := s.runs[kind]
	if run == nil {
		run = &similarRun{write: write}
		run.due = time.AfterFunc(sampleEvery, func() { s.end(kind, run) })
		s.runs[kind] = run
	}
	run.count++
	if run.count <= sampleFirst {
		return true
	}
	run.last = r.Clone()
	return false
}

// end ends a run, unless that has happened.
func (s *sampled) end(kind string, run *similarRun) {
	s.mu.Lock()
	current := s.runs[kind] == run
	if current {
		delete(s.runs, kind)
	}
	s.mu.Unlock()
	if left := run.count - sampleFirst; current && left > 0 {
		run.last.AddAttrs(slog.Int("similar", left))
		run.write(run.last)
	}
}

// writeLeftOut ends the current period of a log by newLog: what it has counted is
// written, and no timer is left. The log may be used afterwards.
func writeLeftOut(log *slog.Logger) {
	s, sampling := log.Handler().(sampler)
	if !sampling {
		return
	}
	s.seen.mu.Lock()
	runs := maps.Clone(s.seen.runs)
	s.seen.mu.Unlock()
	for kind, run := range runs {
		run.due.Stop()
		s.seen.end(kind, run)
	}
}
