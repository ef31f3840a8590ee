package server

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// due takes a token of key and returns 0, or how long there is none.
func due(l *limiter, key string) time.Duration {
	if e, limited := errors.AsType[*chat.Error](l.charge(key)); limited {
		return e.RetryAfter
	}
	return 0
}

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10, time.Second, 20)
		for i := range 20 {
			if due(l, "ada") > 0 {
				t.Fatalf("refused number %d of the burst", i+1)
			}
		}
		wait := due(l, "ada")
		if wait != 100*time.Millisecond {
			t.Fatalf("after the burst: wait %v, want 100ms", wait)
		}
		if due(l, "bob") > 0 {
			t.Error("another key was refused")
		}
		time.Sleep(wait - time.Nanosecond)
		if due(l, "ada") == 0 {
			t.Error("passed before the time that was told")
		}
		time.Sleep(time.Nanosecond)
		if due(l, "ada") > 0 {
			t.Error("refused at the time that was told")
		}
		l.refund("ada")
		if due(l, "ada") > 0 {
			t.Error("refused a token that was put back")
		}
		if due(l, "ada") == 0 {
			t.Error("a refund gave more than it took")
		}
	})
}

func TestLimiterRefundsNoMoreThanABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, time.Second, 2)
		due(l, "ada")
		for range 10 {
			l.refund("ada")
		}
		passed := 0
		for range 10 {
			if due(l, "ada") == 0 {
				passed++
			}
		}
		if passed != 2 {
			t.Errorf("%d passed at once, want the burst of 2", passed)
		}
	})
}

func TestLimiterForgetsFullBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10, time.Second, 20)
		for i := range 1000 {
			due(l, strconv.Itoa(i))
		}
		time.Sleep(2 * time.Second)
		due(l, "ada")
		if len(l.full) != 1 {
			t.Errorf("remembers %d buckets, want 1", len(l.full))
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, time.Minute, 1)
		for i := range maxBuckets + 1000 {
			due(l, strconv.Itoa(i))
		}
		if len(l.full) > maxBuckets {
			t.Errorf("remembers %d buckets, want at most %d", len(l.full), maxBuckets)
		}
	})
}

func TestLimiterOfZeroHasNoLimit(t *testing.T) {
	l := newLimiter(0, time.Second, 0)
	for range 1000 {
		if due(l, "ada") > 0 {
			t.Fatal("refused")
		}
	}
	l.refund("ada")
}

func TestChargeSaysWhenToRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(2, time.Second, 1)
		if err := l.charge("ada"); err != nil {
			t.Fatal(err)
		}
		p := problemOf(l.charge("ada"))
		if p.Code != chat.RateLimited || p.Status != 429 || p.RetryAfterMS != 500 || p.GetHeaders().Get("Retry-After") != "1" {
			t.Errorf("got %+v with %v", p, p.GetHeaders())
		}
	})
}

// A number that somebody sets to mean "without a limit" is none.
func TestLimiterOfHugeNumbers(t *testing.T) {
	for _, l := range []*limiter{newLimiter(10, time.Second, 1<<40), newLimiter(1<<40, time.Second, 1<<40), newLimiter(1<<40, time.Second, 1)} {
		if wait := due(l, "ada"); wait > 0 {
			t.Errorf("refused, retry after %s", wait)
		}
	}
}
