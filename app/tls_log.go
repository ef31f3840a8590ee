package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap/zapcore"
)

// zapToSlog writes what certmagic logs to the node's log. Its steps are for debugging;
// what they come to is told by events.
type zapToSlog struct{ to slog.Handler }

func slogLevel(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelWarn // people can chat all the same
	case l == zapcore.WarnLevel:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// Enabled implements zapcore.LevelEnabler.
func (z zapToSlog) Enabled(l zapcore.Level) bool {
	return z.to.Enabled(context.Background(), slogLevel(l))
}

// With implements zapcore.Core.
func (z zapToSlog) With(fields []zapcore.Field) zapcore.Core {
	return zapToSlog{z.to.WithAttrs(attrsOf(fields))}
}

// Check implements zapcore.Core.
func (z zapToSlog) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if z.Enabled(e.Level) {
		return to.AddCore(e, z)
	}
	return to
}

// Write implements zapcore.Core.
func (z zapToSlog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(time.Now(), slogLevel(e.Level), "acme: "+e.Message, 0)
	r.AddAttrs(attrsOf(fields)...)
	return z.to.Handle(context.Background(), r)
}

// Sync implements zapcore.Core.
func (zapToSlog) Sync() error { return nil }

func attrsOf(fields []zapcore.Field) (attrs []slog.Attr) {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(m)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Fields)) {
		attrs = append(attrs, slog.Any(name, m.Fields[name]))
	}
	return attrs
}
