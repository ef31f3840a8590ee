package persistence

import "time"

// Commit is one group commit of sends that was done.
type Commit struct {
	Sends int // that it answered
	Began time.Time
	Took  time.Duration // from Began to the end of COMMIT and of publishing
}

// Observe names who is told of each group commit, for the store's whole life.
// It is called by the goroutines that commit, several at once, and must not
// block. Call Observe before Run.
func (s *Store) Observe(f func(Commit)) { s.observer = f }

func (s *Store) tell(began time.Time, sends int) {
	if s.observer != nil && sends > 0 {
		s.observer(Commit{Sends: sends, Began: began, Took: time.Since(began)})
	}
}
