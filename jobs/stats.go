package jobs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fechatter/chat"
)

// outcome is what became of a job.
type outcome string

const (
	done     outcome = "done"
	retried  outcome = "retried"  // it failed, and is tried again later
	buried   outcome = "dead"     // it failed for good
	released outcome = "released" // the node stopped
	lost     outcome = "lost"     // the claim ran out, and somebody else does it again
)

func outcomes() []outcome { return []outcome{done, retried, buried, released, lost} }

// Stats is what became of the jobs of a kind on this node, and how many there are on all.
type Stats struct {
	chat.JobCount
	Outcomes map[string]int64
}

// tally counts.
type tally struct {
	mu    sync.Mutex
	ended map[chat.JobKind]map[string]int64
	count []chat.JobCount
}

func newTally(kinds []Kind) *tally {
	t := &tally{ended: map[chat.JobKind]map[string]int64{}}
	for _, k := range kinds {
		t.ended[k.Name] = map[string]int64{}
		for _, o := range outcomes() {
			t.ended[k.Name][string(o)] = 0
		}
	}
	return t
}

func (t *tally) add(kind chat.JobKind, o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended[kind][string(o)]++
}

// Stats returns the counts of all kinds, by name. Those of all nodes are some seconds old.
func (r *Runner) Stats() []Stats {
	r.tally.mu.Lock()
	defer r.tally.mu.Unlock()
	var all []Stats
	for kind, ended := range r.tally.ended {
		s := Stats{JobCount: chat.JobCount{Kind: kind}, Outcomes: maps.Clone(ended)}
		for _, n := range r.tally.count {
			if n.Kind == kind {
				s.JobCount = n
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Stats) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	return all
}

// keepCount counts the jobs now and then until ctx ends.
func (r *Runner) keepCount(ctx context.Context) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		counts, err := r.store.CountJobs(ctx)
		if err == nil {
			r.tally.mu.Lock()
			r.tally.count = counts
			r.tally.mu.Unlock()
		} else if ctx.Err() == nil {
			r.log.Warn("count jobs", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
