package server

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"fechatter/chat"
)

const (
	// maxHashWaiting is how many may wait for a turn: a few seconds of work.
	maxHashWaiting = 128
	// hashPatience is how long one may wait for a turn.
	hashPatience = 5 * time.Second
	// hashesOfAccount is how many turns of one account may be in use at once.
	hashesOfAccount = 4
	// hashTurn is how far a turn moves its address and account back among those that
	// wait; it moves their network by 1.
	hashTurn = 8
	// maxHashFlows bounds whom the queue remembers.
	maxHashFlows = 8192
)

// hashing gives those whose passwords are to be hashed their turns: each takes 19 MiB
// and 50 ms of a core. It is start-time fair queueing: each turn has a place in virtual
// time, that of the turns in use, or later by as much as its address, its network and
// its account have had or wait for. So whoever guesses by the hundred waits for
// themselves, and when too many wait, the latest place is the one that is lost. Its
// methods may be called concurrently.
type hashing struct {
	mu      sync.Mutex
	free    int // turns
	now     int64
	ends    map[string]int64 // when, in virtual time, what is known by a key has had its share
	used    map[string]int   // turns in use, by account
	waiting []*hashWait
	refused int64
}

// hashWait is somebody who waits.
type hashWait struct {
	account string
	place   int64
	late    bool          // others of the same address or account were before
	ended   chan struct{} // closed when the wait is over
	given   bool          // it ended with a turn
}

func newHashing(turns int) *hashing {
	return &hashing{free: turns, ends: map[string]int64{}, used: map[string]int{}}
}

// enter waits for a turn, which the caller ends with leave. Errors: rate_limited for
// those who wait for others of their own kind, else overloaded.
func (h *hashing) enter(ctx context.Context, account string, from source) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	w := h.join(account, from)
	select {
	case <-w.ended:
	case <-ctx.Done():
		h.giveUp(w)
	}
	if !w.given {
		return nil, w.refusal()
	}
	return sync.OnceFunc(func() { h.leave(account) }), nil
}

// join takes a place, at the expense of the last if there are too many. Somebody who
// would be last themselves gets none, and it does not count for their like.
func (h *hashing) join(account string, from source) *hashWait {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &hashWait{account: account, ended: make(chan struct{})}
	keys := [3]string{"account " + account, "address " + from.address, "network " + from.network}
	w.place = max(h.now, h.ends[keys[0]], h.ends[keys[1]], h.ends[keys[2]])
	w.late = w.place > h.now
	if last := h.last(); len(h.waiting) >= maxHashWaiting {
		if last.place <= w.place {
			h.refused++
			close(w.ended)
			return w
		}
		h.end(last, false)
	}
	h.reserve(keys[0], keys[1], keys[2], w.place)
	h.waiting = append(h.waiting, w)
	h.give()
	return w
}

// last returns the latest place; of equal ones, that of who came last.
func (h *hashing) last() (last *hashWait) {
	for _, w := range h.waiting {
		if last == nil || w.place >= last.place {
			last = w
		}
	}
	return last
}

// reserve notes what these keys have of virtual time with a turn at place.
func (h *hashing) reserve(account, address, network string, place int64) {
	if len(h.ends) > maxHashFlows {
		clear(h.ends)
	}
	h.ends[account], h.ends[address] = place+hashTurn, place+hashTurn
	h.ends[network] = max(h.now, h.ends[network]) + 1
}

// give gives free turns to the earliest places. The caller holds mu.
func (h *hashing) give() {
	for h.free > 0 {
		var next *hashWait
		for _, w := range h.waiting {
			if h.used[w.account] < hashesOfAccount && (next == nil || w.place < next.place) {
				next = w
			}
		}
		if next == nil {
			return
		}
		h.free--
		h.used[next.account]++
		h.now = max(h.now, next.place) + 1 // what somebody has had is forgotten in time
		h.end(next, true)
	}
}

// end ends a wait. The caller holds mu.
func (h *hashing) end(w *hashWait, given bool) {
	i := slices.Index(h.waiting, w)
	if i < 0 {
		return
	}
	h.waiting = slices.Delete(h.waiting, i, i+1)
	if w.given = given; !given {
		h.refused++
	}
	close(w.ended)
}

// giveUp ends a wait that took too long, unless it has just ended.
func (h *hashing) giveUp(w *hashWait) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end(w, false)
}

func (h *hashing) leave(account string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free++
	if h.used[account]--; h.used[account] == 0 {
		delete(h.used, account)
	}
	h.give()
	if len(h.used) == 0 {
		h.now = 0
		clear(h.ends)
	}
}

// refusal is what somebody learns who got no turn: not all are to come back at once.
func (w *hashWait) refusal() error {
	e := chat.Errorf(chat.Overloaded, "too many passwords are being checked; try again later")
	if w.late {
		e.Code = chat.RateLimited
	}
	e.Limit = limitHashes
	e.RetryAfter = time.Second + rand.N(2*time.Second)
	return e
}
