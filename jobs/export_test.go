package jobs

import "time"

// WithGrace sets how long those at work may go on when the node stops.
func (r *Runner) WithGrace(d time.Duration) *Runner {
	r.grace = d
	return r
}
