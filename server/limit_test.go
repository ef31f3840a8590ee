package server

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10, time.Second, 20)
		for i := range 20 {
			if ok, _ := l.take("ada"); !ok {
				t.Fatalf("refused number %d of the burst", i+1)
			}
		}
		ok, wait := l.take("ada")
		if ok || wait != 100*time.Millisecond {
			t.Fatalf("after the burst: %v, wait %v; want a refusal and 100ms", ok, wait)
		}
		if ok, _ := l.take("bob"); !ok {
			t.Error("another key was refused")
		}
		time.Sleep(wait - time.Nanosecond)
		if ok, _ := l.take("ada"); ok {
			t.Error("passed before the time that was told")
		}
		time.Sleep(time.Nanosecond)
		if ok, _ := l.take("ada"); !ok {
			t.Error("refused at the time that was told")
		}
		l.refund("ada")
		if ok, _ := l.take("ada"); !ok {
			t.Error("refused a token that was put back")
		}
		if ok, _ := l.take("ada"); ok {
			t.Error("a refund gave more than it took")
		}
	})
}

func TestLimiterRefundsNoMoreThanABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, time.Second, 2)
		l.take("ada")
		for range 10 {
			l.refund("ada")
		}
		passed := 0
		for range 10 {
			if ok, _ := l.take("ada"); ok {
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
			l.take(strconv.Itoa(i))
		}
		time.Sleep(2 * time.Second)
		l.take("ada")
		if len(l.full) != 1 {
			t.Errorf("remembers %d buckets, want 1", len(l.full))
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, time.Minute, 1)
		for i := range maxBuckets + 1000 {
			l.take(strconv.Itoa(i))
		}
		if len(l.full) > maxBuckets {
			t.Errorf("remembers %d buckets, want at most %d", len(l.full), maxBuckets)
		}
	})
}

func TestLimiterOfZeroHasNoLimit(t *testing.T) {
	l := newLimiter(0, time.Second, 0)
	for range 1000 {
		if ok, _ := l.take("ada"); !ok {
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
		if ok, wait := l.take("ada"); !ok {
			t.Errorf("refused, retry after %s", wait)
		}
	}
}
