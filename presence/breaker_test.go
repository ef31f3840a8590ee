package presence

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errFake = errors.New("no answer")

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b breaker
		calls := 0
		try := func(result error) error {
			return b.call(t.Context(), func() error { calls++; return result })
		}
		expect := func(what string, err, want error, reached int) {
			t.Helper()
			if !errors.Is(err, want) || calls != reached {
				t.Fatalf("%s: %v after %d calls, want %v after %d", what, err, calls, want, reached)
			}
		}
		expect("first failure", try(errFake), errFake, 1)
		expect("second failure", try(errFake), errFake, 2)
		expect("success", try(nil), nil, 3)
		for n := range breakAfter {
			expect("a failure in a row", try(errFake), errFake, 4+n)
		}
		for range 100 {
			expect("open", try(nil), ErrUnavailable, 6)
		}
		time.Sleep(probeEvery)
		expect("probe", try(errFake), errFake, 7)
		expect("open again", try(nil), ErrUnavailable, 7)
		time.Sleep(probeEvery)
		expect("probe", try(nil), nil, 8)
		expect("closed", try(nil), nil, 9)
	})
}

// One call is the probe; the others do not wait for it.
func TestBreakerProbesWithOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b breaker
		for range breakAfter {
			_ = b.call(t.Context(), func() error { return errFake })
		}
		time.Sleep(probeEvery)
		probed := make(chan error)
		hang := make(chan struct{})
		go func() { probed <- b.call(t.Context(), func() error { <-hang; return nil }) }()
		synctest.Wait()
		if err := b.call(t.Context(), func() error { t.Error("a second probe"); return nil }); !errors.Is(err, ErrUnavailable) {
			t.Errorf("during the probe: %v", err)
		}
		close(hang)
		if err := <-probed; err != nil {
			t.Error(err)
		}
	})
}

// Callers that give up do not open the breaker.
func TestBreakerIgnoresCancelledCallers(t *testing.T) {
	var b breaker
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 * breakAfter {
		if err := b.call(ctx, func() error { return ctx.Err() }); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}
