package server

import (
	"context"
	"maps"
	"sync"
	"time"

	"fechatter/chat"
)

const (
	// usageFlush is how often what users have stored is written down: a node that is
	// killed forgets no more than that, and nodes learn of each other as often.
	usageFlush = 5 * time.Second
	// usageIdle is how long somebody is remembered who stores nothing.
	usageIdle = time.Hour
	// usageTimeout bounds one writing down, the last of a node included.
	usageTimeout = 10 * time.Second
)

// usageStore is what the usage needs of chat.Service.
type usageStore interface {
	Usage(ctx context.Context, userID string) (chat.Usage, chat.Time, error)
	AddUsage(ctx context.Context, added []chat.Usage) ([]chat.Usage, error)
}

// usage holds users to the bytes that they may store in a day. What a user has stored is
// in the database, where all nodes add to it; a node reads it once and counts on in
// memory, so that no send waits for it. Its methods may be called concurrently.
type usage struct {
	limit int64 // 0: none
	store usageStore

	mu      sync.Mutex
	ahead   time.Duration // of the database's clock over this node's
	day     int64         // that users are about
	users   map[string]*stored
	swept   time.Time
	refused int64
}

// stored is what one user has stored today.
type stored struct {
	known   int64 // in the database, as far as this node has heard
	writing int64 // being added to that
	pending int64 // not yet
	used    time.Time
}

func newUsage(limit int64, store usageStore) *usage {
	return &usage{limit: limit, store: store, users: map[string]*stored{}}
}

// charge counts n bytes, or returns the rate_limited error with the time until the
// next day.
func (u *usage) charge(ctx context.Context, userID string, n int64) error {
	if u.limit <= 0 {
		return nil
	}
	if !u.knows(userID) {
		if err := u.read(ctx, userID); err != nil {
			return err
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.today()
	s := u.users[userID]
	if s == nil { // the day has just changed
		s = &stored{}
		u.users[userID] = s
	}
	if s.known+s.writing+s.pending+n > u.limit {
		u.refused++
		return &chat.Error{Code: chat.RateLimited, RetryAfter: now.UntilTomorrow(), Limit: limitBytes,
			Detail: "you have stored as much today as one user may in a day (UTC)"}
	}
	s.pending += n
	s.used = time.Now()
	return nil
}

// refund takes back bytes that charge counted.
func (u *usage) refund(userID string, n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s := u.users[userID]; s != nil {
		s.pending -= n
	}
}

// today begins a new day when the database's clock says so. The caller holds mu.
func (u *usage) today() chat.Time {
	now := chat.TimeOf(time.Now().Add(u.ahead))
	if now.Day() > u.day {
		u.day = now.Day()
		clear(u.users)
	}
	return now
}

func (u *usage) knows(userID string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.users[userID] != nil
}

// read learns what the user has stored today, on all nodes.
func (u *usage) read(ctx context.Context, userID string) error {
	had, now, err := u.store.Usage(ctx, userID)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ahead = time.Until(now.Time())
	u.today()
	if u.users[userID] == nil && had.Day == u.day {
		u.users[userID] = &stored{known: had.Bytes, used: time.Now()}
	}
	return nil
}

// flush writes down what was counted since the last time. What cannot be written stays
// counted, for the next time.
func (u *usage) flush(ctx context.Context) error {
	added := u.take()
	if len(added) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, usageTimeout)
	defer cancel()
	totals, err := u.store.AddUsage(ctx, added)
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, a := range added {
		if s := u.users[a.UserID]; s != nil && a.Day == u.day {
			s.writing = 0
			if err != nil {
				s.pending += a.Bytes
			} else {
				s.known += a.Bytes
			}
		}
	}
	for _, t := range totals {
		if s := u.users[t.UserID]; s != nil && t.Day == u.day {
			s.known = t.Bytes
		}
	}
	return err
}

// take returns what is to be written down, and forgets who has been idle.
func (u *usage) take() (added []chat.Usage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.today()
	for id, s := range u.users {
		if s.pending != 0 {
			added = append(added, chat.Usage{UserID: id, Day: u.day, Bytes: s.pending})
			s.writing, s.pending = s.pending, 0
		}
	}
	if now := time.Now(); now.Sub(u.swept) >= usageIdle {
		u.swept = now
		maps.DeleteFunc(u.users, func(_ string, s *stored) bool { return s.writing == 0 && now.Sub(s.used) >= usageIdle })
	}
	return added
}

// keepUsage writes down what users have stored until ctx ends, and once more then.
func (s *Server) keepUsage(ctx context.Context) {
	write := func(ctx context.Context) {
		if err := s.usage.flush(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("write down what users have stored", "error", err)
		}
	}
	every(ctx, usageFlush, func(time.Time) { write(ctx) })
	write(context.WithoutCancel(ctx))
}
