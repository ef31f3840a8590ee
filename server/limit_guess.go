package server

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	"fechatter/chat"
)

// The wait that guessing costs: after ten failures within guessWindow an account asks for
// guessWait, and each further failure doubles that. At the longest wait somebody who
// goes on for days has some 700 guesses a day.
const (
	guessWindow  = 15 * time.Minute
	freeGuesses  = 10
	guessWait    = 5 * time.Second
	maxGuessWait = 2 * time.Minute
	// guessesKept is how many failures of an account are remembered: the longest wait
	// needs no more.
	guessesKept = 16
	// maxGuessed is how many accounts are remembered, and how many addresses.
	maxGuessed = 1 << 16
	// friendFor is how long an address is known from which somebody has logged in.
	friendFor = 24 * time.Hour
)

// guesses counts the failed log-ins of accounts on this node, of those that do not exist
// as well. An account has one count for all strangers, and others for devices that it
// knows, so that whoever guesses keeps nobody away who has been there before. Its
// methods may be called concurrently.
type guesses struct {
	mu      sync.Mutex
	failed  map[string][]time.Time // by account and kind of device, oldest first
	friends map[string]time.Time   // until when an address is known to an account
	swept   time.Time
	refused int64
}

func newGuesses() *guesses {
	return &guesses{failed: map[string][]time.Time{}, friends: map[string]time.Time{}}
}

// guessed names an account, however long the name that somebody tries.
func guessed(username string) string {
	sum := sha256.Sum256([]byte(username))
	return string(sum[:16])
}

// wait returns the rate_limited error while the account asks for a wait.
func (g *guesses) wait(key string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waits(key, time.Now())
}

// begin counts a failure, or returns the rate_limited error. The caller ends it with
// judged, which takes the failure back if there was none.
func (g *guesses) begin(key string) (judged func(failed bool), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.sweep(now)
	if err := g.waits(key, now); err != nil {
		return nil, err
	}
	times := append(g.failed[key], now)
	g.failed[key] = times[max(0, len(times)-guessesKept):]
	return func(failed bool) {
		if !failed {
			g.forgive(key, now)
		}
	}, nil
}

func (g *guesses) waits(key string, now time.Time) error {
	times := recent(g.failed[key], now)
	if len(times) < freeGuesses {
		return nil
	}
	wait := min(maxGuessWait, guessWait<<(len(times)-freeGuesses))
	left := times[len(times)-1].Add(wait).Sub(now)
	if left <= 0 {
		return nil
	}
	g.refused++
	return &chat.Error{Code: chat.RateLimited, RetryAfter: left, Limit: limitGuesses,
		Detail: "too many failed log-ins under this name; wait, or use a device on which you have logged in before"}
}

// recent returns the failures that still count.
func recent(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= guessWindow {
		times = times[1:]
	}
	return times
}

func (g *guesses) forgive(key string, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	times := g.failed[key]
	for i, t := range times {
		if t.Equal(at) {
			g.failed[key] = append(times[:i:i], times[i+1:]...)
			break
		}
	}
	if len(g.failed[key]) == 0 {
		delete(g.failed, key)
	}
}

// befriend remembers that somebody has logged in to an account from an address.
func (g *guesses) befriend(account, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	makeRoom(g.friends, maxGuessed, func(time.Time) int { return 0 })
	g.friends[account+address] = time.Now().Add(friendFor)
}

// isFriend reports whether somebody has logged in to an account from an address lately.
func (g *guesses) isFriend(account, address string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return address != "" && time.Now().Before(g.friends[account+address])
}

// sweep forgets what no longer counts, once per window, and keeps the rest bounded.
func (g *guesses) sweep(now time.Time) {
	if now.Sub(g.swept) >= guessWindow {
		g.swept = now
		maps.DeleteFunc(g.failed, func(_ string, times []time.Time) bool { return len(recent(times, now)) == 0 })
		maps.DeleteFunc(g.friends, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	makeRoom(g.failed, maxGuessed, func(times []time.Time) int { return len(times) })
}

// makeRoom forgets, where there are as many as limit, the one that matters least of a
// few: a flood of names must not wash away what is known of one that is being guessed.
func makeRoom[V any](m map[string]V, limit int, matters func(V) int) {
	if len(m) < limit {
		return
	}
	least, looked := "", 0
	for key, v := range m {
		if looked == 0 || matters(v) < matters(m[least]) {
			least = key
		}
		if looked++; looked == 8 {
			break
		}
	}
	delete(m, least)
}

// checked runs what checks a password of an account: in turn, unless the account asks
// for a wait, and counted if its error is wrong. Whether the password was right cannot
// be seen in a wait, for nothing is checked then.
func (s *Server) checked(ctx context.Context, device guesser, wrong chat.Code, check func() error) error {
	if err := s.guesses.wait(device.key); err != nil {
		return err
	}
	leave, err := s.hashing.enter(ctx, device.key, device.from)
	if err != nil {
		return err
	}
	defer leave()
	judged, err := s.guesses.begin(device.key)
	if err != nil {
		return err
	}
	err = check()
	judged(chat.CodeOf(err) == wrong)
	return err
}
