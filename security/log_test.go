package security

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// book is a log in which every line was written by one call.
type book struct {
	mu    sync.Mutex
	lines []map[string]any
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var line map[string]any
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, err
	}
	b.lines = append(b.lines, line)
	return len(p), nil
}

// of counts the lines of an event, and the entries that lines say were left out.
func (b *book) of(event Event) (lines, similar int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lines {
		if l["event"] != string(event) {
			continue
		}
		lines++
		if n, ok := l["similar"].(float64); ok {
			similar += int(n)
		}
	}
	return lines, similar
}

func open(t *testing.T, b *book, level slog.Level, counted func(Event)) *Log {
	t.Helper()
	return New(slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: level})), counted)
}

// A line has its fields and no empty ones, and is written however quiet the log is.
func TestLine(t *testing.T) {
	var b book
	open(t, &b, slog.LevelError, nil).Note(Entry{Event: LogInSucceeded, Address: "203.0.113.9", User: "u", Session: "s"})
	if len(b.lines) != 1 {
		t.Fatalf("%d lines, want 1", len(b.lines))
	}
	line := b.lines[0]
	delete(line, "time")
	want := "map[address:203.0.113.9 event:login.succeeded level:INFO msg:security security:true session:s user:u]"
	if got := fmt.Sprint(line); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A nil Log writes nothing.
func TestNilLog(t *testing.T) {
	var l *Log
	l.Note(Entry{Event: LogInFailed})
}

// What a client makes up is cut, between two characters.
func TestDetailIsBounded(t *testing.T) {
	var b book
	open(t, &b, slog.LevelInfo, nil).Note(Entry{Event: OriginRefused, Detail: "x" + strings.Repeat("é", 10_000)})
	if got, want := b.lines[0]["detail"], "x"+strings.Repeat("é", 99)+"…"; got != want {
		t.Errorf("got %q", got)
	}
}

// A flood from one source is five lines, then one with the number of the others; what
// comes from elsewhere meanwhile is written, and so is all that is rare.
func TestFloodOfOneSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b book
		counted := 0
		l := open(t, &b, slog.LevelInfo, func(Event) { counted++ })
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = l.Run(ctx) })
		for i := range 1000 {
			l.Note(Entry{Event: LogInFailed, Address: "203.0.113.9", User: "ada"})
			l.Note(Entry{Event: Suspended, User: "admin", Subject: fmt.Sprint(i)})
		}
		l.Note(Entry{Event: LogInFailed, Address: "203.0.113.9", User: "bob"})
		l.Note(Entry{Event: LogInFailed, Address: "198.51.100.1", User: "ada"})
		if lines, _ := b.of(LogInFailed); lines != linesOfSource+2 {
			t.Errorf("%d lines at once, want %d", lines, linesOfSource+2)
		}
		if lines, _ := b.of(Suspended); lines != 1000 {
			t.Errorf("%d suspensions were written, want all 1000", lines)
		}
		time.Sleep(period)
		synctest.Wait()
		if lines, similar := b.of(LogInFailed); lines != linesOfSource+3 || similar != 1000-linesOfSource {
			t.Errorf("after the period: %d lines that count %d, want %d and %d", lines, similar, linesOfSource+3, 1000-linesOfSource)
		}
		l.Note(Entry{Event: LogInFailed, Address: "203.0.113.9", User: "ada"})
		if lines, _ := b.of(LogInFailed); lines != linesOfSource+4 {
			t.Error("the next period does not begin anew")
		}
		if want := 2003; counted != want {
			t.Errorf("counted %d, want %d", counted, want)
		}
		cancel()
		running.Wait()
	})
}

// A flood from ever new sources costs no more lines than the event has, nor memory, and
// is counted all the same: at the end of the period, or when the node stops.
func TestFloodOfManySources(t *testing.T) {
	const flood = 20_000
	for _, stop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var b book
			l := open(t, &b, slog.LevelInfo, nil)
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = l.Run(ctx) })
			for i := range flood {
				for range 2 {
					l.Note(Entry{Event: LogInFailed, Address: fmt.Sprint(i)})
				}
			}
			l.Note(Entry{Event: HostRefused, Address: "203.0.113.9"})
			if lines, _ := b.of(LogInFailed); lines != linesOfAnybody {
				t.Errorf("%d lines, want %d", lines, linesOfAnybody)
			}
			if lines, _ := b.of(HostRefused); lines != 1 {
				t.Error("the flood hides another event")
			}
			l.mu.Lock()
			remembered := len(l.sample.runs)
			l.mu.Unlock()
			if remembered > 2*linesOfAnybody {
				t.Errorf("%d sources are remembered", remembered)
			}
			if !stop {
				time.Sleep(period)
				synctest.Wait()
			}
			cancel()
			running.Wait()
			lines, similar := b.of(LogInFailed)
			if lines > 2*linesOfAnybody+1 || similar != 2*flood-linesOfAnybody {
				t.Errorf("stopped %v: %d lines, which count %d, want %d", stop, lines, similar, 2*flood-linesOfAnybody)
			}
		})
	}
}

// Without Run, a period ends with the first entry after it.
func TestPeriodEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b book
		l := open(t, &b, slog.LevelInfo, nil)
		for range 10 {
			l.Note(Entry{Event: LimitHit, User: "ada", Limit: "sends_per_second"})
		}
		l.Note(Entry{Event: LimitHit, User: "ada", Limit: "searches"})
		time.Sleep(period)
		l.Note(Entry{Event: LimitHit, User: "ada", Limit: "sends_per_second"})
		if lines, similar := b.of(LimitHit); lines != 8 || similar != 5 {
			t.Errorf("%d lines that count %d, want 8 and 5", lines, similar)
		}
	})
}

// Many at once lose none and tear no line.
func TestConcurrentNotes(t *testing.T) {
	var b book
	l := open(t, &b, slog.LevelInfo, nil)
	var notes sync.WaitGroup
	for range 8 {
		notes.Go(func() {
			for range 500 {
				l.Note(Entry{Event: LogInFailed, Address: "203.0.113.9"})
			}
		})
	}
	notes.Wait()
	l.flush(time.Now().Add(period))
	if lines, similar := b.of(LogInFailed); lines != linesOfSource+1 || similar != 4000-linesOfSource {
		t.Errorf("%d lines that count %d", lines, similar)
	}
}

func TestIsMark(t *testing.T) {
	if !IsMark(mark()) || IsMark(slog.Bool("security", false)) || IsMark(slog.String("part", "hub")) {
		t.Error("the mark is not told from others")
	}
}
