package bus

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// A question is answered by a node that can, to the one that asked, also after the
// server was away.
func TestAsk(t *testing.T) {
	srv := startProcess(t)
	a, b, c := newBus(t, Config{URL: srv.url}), newBus(t, Config{URL: srv.url}), newBus(t, Config{URL: srv.url})
	nodes := map[*Bus]*recorder{a: {}, b: {}, c: {}}
	for bus, node := range nodes {
		run(t, bus, node)
		connected(t, bus)
		flush(t, bus)
	}
	ask := func(bus *Bus, question string, limit time.Duration) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		answer, err := bus.Ask(ctx, []byte(question))
		return string(answer), err
	}
	var all sync.WaitGroup
	for bus, question := range map[*Bus]string{a: "from a", b: "from b", c: "from c"} {
		all.Go(func() {
			for range 50 {
				want := strings.ToUpper(question)
				if got, err := ask(bus, question, patience); got != want || err != nil {
					t.Errorf("%s: %q, %v", question, got, err)
				}
			}
		})
	}
	all.Wait()
	if _, err := ask(a, "silence", 20*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody answers: %v", err)
	}
	askAll(t, a)
	srv.kill()
	eventually(t, "the loss", func() bool { return !a.Stats().Connected && !b.Stats().Connected && !c.Stats().Connected })
	if _, err := ask(a, "lost", patience); !errors.Is(err, ErrLost) {
		t.Errorf("without a server: %v", err)
	}
	if _, err := a.AskAll(t.Context(), []byte("lost")); !errors.Is(err, ErrLost) {
		t.Errorf("all, without a server: %v", err)
	}
	srv.restart(t)
	for bus := range nodes {
		connected(t, bus)
		flush(t, bus)
	}
	if got, err := ask(b, "again", patience); got != "AGAIN" || err != nil {
		t.Errorf("after the restart: %q, %v", got, err)
	}
	for _, node := range nodes {
		if node.received() > 0 || node.announced() != "" {
			t.Error("a question or an answer was taken for something else")
		}
	}
}

// askAll asks until both other nodes answer in time, then what nobody answers.
func askAll(t *testing.T, bus *Bus) {
	t.Helper()
	ask := func(question string, limit time.Duration) string {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		answers, err := bus.AskAll(ctx, []byte(question))
		if err != nil {
			t.Errorf("%s: %v", question, err)
		}
		return string(bytes.Join(answers, []byte(" ")))
	}
	limit := 10 * time.Millisecond
	eventually(t, "the answers of both", func() bool {
		limit = min(2*limit, time.Second) // the machine may be busy
		got := ask("all", limit)
		if len(got) > len("ALL ALL") {
			t.Fatalf("too many answers: %q", got)
		}
		return got == "ALL ALL"
	})
	if got := ask("silence", 20*time.Millisecond); got != "" {
		t.Errorf("nobody answers: %q", got)
	}
}
