// Package security writes the events that somebody who guards a deployment watches, as
// lines of the node's log that have security=true: who came in and who did not, whose
// rights changed, what was refused. It knows the names of the events and what an entry
// may hold; it does not know how an event comes about, and decides nothing.
package security

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// message is what every line says; the event is in its fields.
const message = "security"

// Log writes entries. It may be used concurrently; a nil Log writes nothing.
type Log struct {
	handler slog.Handler
	counted func(Event)
	kinds   map[Event]Kind

	mu     sync.Mutex
	sample sample
}

// New returns a log that writes to that of the node, whatever the level of that is, and
// calls counted, unless it is nil, for every event, written or not.
func New(log *slog.Logger, counted func(Event)) *Log {
	if counted == nil {
		counted = func(Event) {}
	}
	l := &Log{handler: log.Handler().WithAttrs([]slog.Attr{mark()}), counted: counted, kinds: map[Event]Kind{}}
	for _, k := range Kinds() {
		l.kinds[k.Event] = k
	}
	return l
}

// mark is what the lines of this log have and no others.
func mark() slog.Attr { return slog.Bool("security", true) }

// IsMark reports whether an attribute marks the lines of a security log, to handlers
// that treat those differently.
func IsMark(a slog.Attr) bool { return a.Equal(mark()) }

// Note writes an entry, or counts it with others like it: see sample. An event that
// Kinds does not list is written as a warning.
func (l *Log) Note(e Entry) {
	if l == nil {
		return
	}
	l.counted(e.Event)
	now := time.Now()
	l.mu.Lock()
	left := l.sample.turn(now)
	kept := l.sample.admit(e, l.kinds[e.Event].Lines)
	l.mu.Unlock()
	l.writeLeft(now, left)
	if kept {
		l.write(now, e)
	}
}

// Run writes, at the end of each period and when ctx ends, how many entries were left out.
func (l *Log) Run(ctx context.Context) error {
	ticks := time.NewTicker(period)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			l.flush(time.Now().Add(period))
			return nil
		case now := <-ticks.C:
			l.flush(now)
		}
	}
}

func (l *Log) flush(now time.Time) {
	l.mu.Lock()
	left := l.sample.turn(now)
	l.mu.Unlock()
	l.writeLeft(time.Now(), left)
}

func (l *Log) writeLeft(now time.Time, left []leftOut) {
	for _, o := range left {
		l.write(now, o.last, slog.Int("similar", o.count))
	}
}

// write bypasses the level of the handler: whoever silences the log does not mean this.
func (l *Log) write(now time.Time, e Entry, more ...slog.Attr) {
	level := slog.LevelWarn
	if k, known := l.kinds[e.Event]; known {
		level = k.Level
	}
	r := slog.NewRecord(now, level, message, 0)
	r.AddAttrs(e.attrs()...)
	r.AddAttrs(more...)
	_ = l.handler.Handle(context.Background(), r) // a log that cannot be written has nowhere to say so
}
