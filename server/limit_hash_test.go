package server

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// attack is many who want turns at once: the n-th as an account from an address.
type attack struct {
	account, address func(n int) string
}

func always(text string) func(int) string { return func(int) string { return text } }

func counted(form string) func(int) string { return func(n int) string { return fmt.Sprintf(form, n) } }

// hashes lets somebody hash for 50 ms, and returns how long they waited.
func (h *hashing) hashes(account, address string) (waited time.Duration, err error) {
	began := time.Now()
	leave, err := h.enter(context.Background(), account, sourceOf(netip.MustParseAddr(address)))
	waited = time.Since(began)
	if err == nil {
		time.Sleep(50 * time.Millisecond)
		leave()
	}
	return waited, err
}

// Whoever asks for hundreds of turns, of one address, one network or one account, keeps
// nobody else waiting for more than a few, and costs nobody else a refusal.
func TestTurnsOfPasswordsAreFair(t *testing.T) {
	for name, a := range map[string]attack{
		"one address, one account":   {always("victim"), always("203.0.113.9")},
		"one address, many accounts": {counted("name-%d"), always("203.0.113.9")},
		"one /48, one account":       {always("victim"), counted("2001:db8:1:%x::1")},
		"one /48, many accounts":     {counted("name-%d"), counted("2001:db8:1:%x::1")},
		"many networks, one account": {always("victim"), counted("2001:db8:%x::1")},
		"one /24, many accounts":     {counted("name-%d"), func(n int) string { return fmt.Sprintf("203.0.113.%d", n%256) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHashing(2)
				var running sync.WaitGroup
				var limited atomic.Int64
				for n := range 420 {
					running.Go(func() {
						if _, err := h.hashes(a.account(n), a.address(n)); chat.CodeOf(err) == chat.RateLimited {
							limited.Add(1)
						} else if err != nil {
							t.Errorf("an attacker was refused with %v", err)
						}
					})
				}
				synctest.Wait()
				if name == "one address, many accounts" { // a neighbour at another one
					if waited, err := h.hashes("neighbour", "203.0.113.77"); err != nil || waited > time.Second {
						t.Errorf("the neighbour waited %s: %v", waited, err)
					}
				}
				for n := range 20 {
					waited, err := h.hashes("honest", "198.51.100.1")
					if err != nil || waited > 300*time.Millisecond {
						t.Errorf("honest log-in %d waited %s: %v", n, waited, err)
					}
					time.Sleep(time.Second / 2)
				}
				running.Wait()
				if limited.Load() < 420-maxHashWaiting-2 {
					t.Errorf("%d of 420 were refused", limited.Load())
				}
				if h.free != 2 || len(h.waiting) != 0 || len(h.ends) != 0 || len(h.used) != 0 {
					t.Errorf("left over: %d free, %d wait, %v, %v", h.free, len(h.waiting), h.ends, h.used)
				}
			})
		})
	}
}

// When too many wait, who loses their turn is the last of the flood, whoever came last.
func TestTheLatestTurnIsLost(t *testing.T) {
	h := newHashing(1)
	flood := make([]*hashWait, maxHashWaiting+1)
	for n := range flood {
		flood[n] = h.join(fmt.Sprint("name-", n), source{address: "203.0.113.9", network: "203.0.113.0/24"})
	}
	refused := func(w *hashWait) bool {
		select {
		case <-w.ended:
			return !w.given
		default:
			return false
		}
	}
	var honest []*hashWait
	for n := range 3 {
		honest = append(honest, h.join(fmt.Sprint("honest-", n), source{address: fmt.Sprint("198.51.100.", n), network: "198.51.100.0/24"}))
	}
	if slices.ContainsFunc(honest, refused) {
		t.Error("an honest newcomer was refused")
	}
	for n, w := range flood {
		if lost := n > maxHashWaiting-len(honest); refused(w) != lost {
			t.Errorf("place %d of the flood is lost: %t, want %t", n, refused(w), lost)
		}
	}
}

// Those who come from everywhere under every name are refused as overloaded once too
// many wait, and a wait has an end.
func TestTurnsOfPasswordsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHashing(1)
		leave, err := h.enter(t.Context(), "slow", source{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var running sync.WaitGroup
		var overloaded, late atomic.Int64
		for n := range maxHashWaiting + 50 {
			running.Go(func() {
				_, err := h.hashes(fmt.Sprint("name ", n), fmt.Sprintf("2001:db8:%x::1", n))
				if p := problemOf(err); p.Code != chat.Overloaded || p.RetryAfterMS < 1000 || p.RetryAfterMS > 3000 {
					t.Errorf("refused with %+v", p)
				}
				overloaded.Add(1)
				if time.Since(began) == hashPatience {
					late.Add(1)
				}
			})
		}
		running.Wait()
		if overloaded.Load() != maxHashWaiting+50 || late.Load() != maxHashWaiting {
			t.Errorf("%d were refused, %d of them after %s", overloaded.Load(), late.Load(), hashPatience)
		}
		leave()
		leave() // once is enough
		if _, err := h.hashes("next", "203.0.113.1"); err != nil || h.free != 1 {
			t.Errorf("after the slow one: %v, %d free", err, h.free)
		}
	})
}
