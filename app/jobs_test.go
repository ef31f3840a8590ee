package app

import (
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/jobs"
	"fechatter/server"
)

type noStore struct{ canaryStore }

// TestLateJobsShow: health warns of work that nobody gets round to, not of what was refused.
func TestLateJobsShow(t *testing.T) {
	var stats []jobs.Stats
	h := newHealth("n", "sqlite", noStore{}, nil, nil, quiet())
	h.jobs = func() []jobs.Stats { return stats }
	for _, c := range []struct {
		count chat.JobCount
		want  server.HealthStatus
	}{{chat.JobCount{}, server.Pass}, {chat.JobCount{Dead: 3, Late: time.Minute}, server.Pass}, {chat.JobCount{Waiting: 1, Late: 6 * time.Minute}, server.Warn}} {
		stats = []jobs.Stats{{JobCount: c.count}}
		h.seen = map[string]*sighting{}
		h.probeJobs()
		parts := h.Health().Parts
		if len(parts) != 1 || parts[0].Name != "jobs" || parts[0].Status != c.want || parts[0].Value != c.count.Dead {
			t.Errorf("%+v: %+v, want %s", c.count, parts, c.want)
		}
	}
}
