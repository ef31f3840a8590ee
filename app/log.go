package app

import (
	"io"
	"log/slog"
)

// newLog makes the node's log from settings that validate has passed. It drops
// nothing and is safe for concurrent use; the caller owns w.
func newLog(c Config, w io.Writer) *slog.Logger {
	var level slog.LevelVar
	_ = level.UnmarshalText([]byte(c.LogLevel))
	opts := &slog.HandlerOptions{Level: &level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
