package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// diary records the order in which parts stop.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func (d *diary) part(name string, stopping time.Duration, err error) part {
	return part{name, func(ctx context.Context) error {
		<-ctx.Done()
		d.note("stopping " + name)
		time.Sleep(stopping) // in a synctest bubble
		d.note("stopped " + name)
		return err
	}}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestPartsStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := runParts(ctx, quiet(), []part{
			d.part("store", 0, nil), d.part("hub", time.Second, nil), d.part("http", 2*time.Second, context.Canceled),
		})
		if err != nil {
			t.Errorf("runParts: %v", err)
		}
		want := []string{"stopping http", "stopped http", "stopping hub", "stopped hub", "stopping store", "stopped store"}
		if !slices.Equal(d.lines, want) {
			t.Errorf("order: %v", d.lines)
		}
	})
}

func TestAPartThatEndsStopsTheNode(t *testing.T) {
	boom := errors.New("boom")
	for name, run := range map[string]func(context.Context) error{
		"bus: boom":               func(context.Context) error { return boom },
		"bus: ended by itself":    func(context.Context) error { return nil },
		"bus: panic: unthinkable": func(context.Context) error { panic("unthinkable") },
	} {
		synctest.Test(t, func(t *testing.T) {
			var d diary
			err := runParts(t.Context(), quiet(), []part{d.part("store", 0, nil), {"bus", run}, d.part("http", 0, nil)})
			if err == nil || !strings.HasPrefix(err.Error(), name) {
				t.Errorf("runParts: %v, want %s", err, name)
			}
			if want := []string{"stopping http", "stopped http", "stopping store", "stopped store"}; !slices.Equal(d.lines, want) {
				t.Errorf("%s: the others did not stop in order: %v", name, d.lines)
			}
		})
	}
}

func TestErrorsOfStoppingAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := runParts(ctx, quiet(), []part{d.part("store", 0, errors.New("no flush")), d.part("http", 0, nil)})
		if err == nil || err.Error() != "store: no flush" {
			t.Errorf("runParts: %v", err)
		}
	})
}

func TestAPartThatHangsDoesNotBlockTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		free := make(chan struct{})
		hung := part{"http", func(context.Context) error { <-free; return nil }}
		err := runParts(ctx, quiet(), []part{d.part("store", 0, nil), hung})
		if err == nil || !strings.Contains(err.Error(), "http: not stopped within") {
			t.Errorf("runParts: %v", err)
		}
		if !slices.Contains(d.lines, "stopped store") {
			t.Error("the store was not stopped")
		}
		close(free)
	})
}

// However many parts are slow, the whole stop is bounded.
func TestAStopEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		const each = 20 * time.Second
		err := runParts(ctx, quiet(), []part{d.part("store", 0, nil), d.part("bus", each, nil), d.part("hub", each, nil), d.part("http", each, nil)})
		if took := time.Since(began); took > stopLimit+time.Second {
			t.Errorf("the stop took %s", took)
		}
		if err == nil || !strings.Contains(err.Error(), "hub: not stopped") || !strings.Contains(err.Error(), "bus: not stopped") {
			t.Errorf("runParts: %v", err)
		}
		if lines := d.read(); !slices.Contains(lines, "stopped http") || !slices.Contains(lines, "stopped store") {
			t.Errorf("parts that could have stopped did not: %v", lines)
		}
		time.Sleep(2 * each) // in the bubble: what was left behind ends
	})
}
