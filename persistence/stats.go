package persistence

import (
	"sync/atomic"
	"time"
)

// counters are the figures of the store behind Stats.
type counters struct {
	accepted, batches, sends, bisections, skips, turns, lanes, cursorBatches atomic.Int64
}

// Stats are figures since the store was opened, except Queued and Waiting, which
// describe the present.
type Stats struct {
	Batches    int64 // group commits
	Sends      int64 // sends answered by them
	Bisections int64 // groups split because the database refused a send
	Skips      int64 // chats left out of a group because somebody else held their lock
	Turns      int64 // groups that waited for locks
	Lanes      int64 // chats that waited for their lock on their own
	Cursors    int64 // commits of cursors
	Queued     int   // sends not in a group yet
	Waiting    int64 // sends accepted and not answered yet, including the queued ones
}

// Stats returns the figures. It may be called at any time.
func (s *Store) Stats() Stats {
	return Stats{Batches: s.stats.batches.Load(), Sends: s.stats.sends.Load(), Bisections: s.stats.bisections.Load(),
		Skips: s.stats.skips.Load(), Turns: s.stats.turns.Load(), Lanes: s.stats.lanes.Load(), Cursors: s.stats.cursorBatches.Load(), Queued: s.queue.length(),
		Waiting: s.stats.accepted.Load() - s.stats.sends.Load()}
}

// Commit describes a group commit of sends that succeeded.
type Commit struct {
	Sends int // answered by it
	Began time.Time
	Took  time.Duration // from Began to the end of COMMIT and of publishing

	Traces []string // of the sends that are traced, including the skipped ones
}

// Observe sets the function that is called after each group commit, for the
// store's whole life. The goroutines that commit call it, several at once, so it
// must not block. Call Observe before Run.
func (s *Store) Observe(f func(Commit)) { s.observer = f }

// observe reports a group commit to the observer.
func (s *Store) observe(began time.Time, items []*pending, skipped int) {
	if s.observer == nil || len(items) == skipped {
		return
	}
	c := Commit{Sends: len(items) - skipped, Began: began, Took: time.Since(began)}
	for _, p := range items {
		if p.send.Trace != "" {
			c.Traces = append(c.Traces, p.send.Trace)
		}
	}
	s.observer(c)
}
