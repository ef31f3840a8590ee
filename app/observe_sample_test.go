package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/security"
)

// lockedBuffer is written by the timers of the sampler while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *lockedBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Reset()
}

// TestOutagesAreSampled: of a thousand refused requests the log has the first three and
// one with the number of the others, for each kind; nothing rare or harmless is left out.
func TestOutagesAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		log := newLog(Config{LogLevel: "info", LogFormat: "text"}, &out)
		request := func(level slog.Level, route string, status int, n int) {
			log.Log(t.Context(), level, "request", "id", n, "route", route, "status", status, "error", errors.New("no database"))
		}
		lines := func(what string) (n int) {
			for line := range strings.Lines(out.String()) {
				if strings.Contains(line, what) {
					n++
				}
			}
			return n
		}
		for n := range 1000 {
			request(slog.LevelError, "/messages", 503, n)
			request(slog.LevelError, "/cursor", 503, n)
			log.With("part", "hub").Warn("stream repair failed", "stream", n)
			log.With("part", "index").Warn("stream repair failed", "stream", n)
			request(slog.LevelInfo, "/chats", 200, n)
		}
		request(slog.LevelError, "/messages", 500, 0)
		for what, want := range map[string]int{
			"route=/messages status=503": 3, "route=/cursor status=503": 3, "part=hub": 3, "part=index": 3, "route=/chats": 1000, "status=500": 1,
		} {
			if got := lines(what); got != want {
				t.Errorf("%s: %d lines, want %d", what, got, want)
			}
		}
		time.Sleep(sampleEvery)
		synctest.Wait()
		if got := lines("similar=997"); got != 4 {
			t.Errorf("%d lines count the others, want 4", got)
		}
		if want := "id=999 route=/messages status=503 error=\"no database\" similar=997"; lines(want) != 1 {
			t.Errorf("not the last one with a count: %s", out.String())
		}
		out.Reset()
		time.Sleep(sampleEvery)
		synctest.Wait()
		request(slog.LevelError, "/messages", 503, 1)
		if got := lines(""); got != 1 {
			t.Errorf("after the outage: %d lines, want 1", got)
		}
	})
}

// TestLeftOutIsWrittenAtTheEnd: a node that stops within a period says what it has counted.
func TestLeftOutIsWrittenAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		log := newLog(Config{LogLevel: "info", LogFormat: "text"}, &out)
		for n := range 10 {
			log.With("part", "hub").Warn("stream repair failed", "stream", n)
		}
		writeLeftOut(log)
		if want := "stream=9 similar=7"; strings.Count(out.String(), want) != 1 {
			t.Errorf("not once %q: %s", want, out.String())
		}
		written := out.String()
		time.Sleep(sampleEvery)
		synctest.Wait()
		if out.String() != written {
			t.Errorf("written after the end: %s", strings.TrimPrefix(out.String(), written))
		}
	})
}

// TestSecurityEventsAreNotSampledTwice: the security log decides by itself what it leaves
// out, and nothing of what administrators do.
func TestSecurityEventsAreNotSampledTwice(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out lockedBuffer
		log := security.New(newLog(Config{LogLevel: "error", LogFormat: format}, &out).With("part", "x"), nil)
		for range 20 {
			log.Note(security.Entry{Event: security.Suspended, User: "a", Subject: "b"})
		}
		if n := strings.Count(out.String(), "user.suspended"); n != 20 {
			t.Errorf("%s: %d of 20 lines were written", format, n)
		}
	}
}
