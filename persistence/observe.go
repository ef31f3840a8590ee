package persistence

import "time"

// Commit is one group commit of sends that was done.
type Commit struct {
	Sends int // that it answered
	Began time.Time
	Took  time.Duration // from Began to the end of COMMIT and of publishing

	Traces []string // of the sends that are followed, the skipped ones among them
}

// Observe names who is told of each group commit, for the store's whole life.
// It is called by the goroutines that commit, several at once, and must not
// block. Call Observe before Run.
func (s *Store) Observe(f func(Commit)) { s.observer = f }

func (s *Store) tell(began time.Time, items []*pending, skipped int) {
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
