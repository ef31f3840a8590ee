//go:build !mutate_check_ready

package check

import "time"

// Readiness may lag behind the truth by this much.
const (
	readyButFails = 3 * time.Second
	worksUnready  = 5 * time.Second
)

// checkReady: a node that says it is ready does what it is asked, and one that
// does it says so. A node that drains is unready on purpose.
func checkReady(run *Run, r *report) {
	for _, p := range run.Probes {
		fails, works := p.spans(func(l Look) bool { return l.Kind == Asked && !l.OK }), p.spans(func(l Look) bool { return l.Kind == Asked && l.OK })
		ready, unready := p.spans(func(l Look) bool { return l.Kind == Told && l.OK }), p.spans(func(l Look) bool { return l.Kind == Told && !l.OK && !l.Draining })
		for _, both := range overlaps(fails, ready, readyButFails) {
			r.add("%s says that it is ready while no message comes through, from %s to %s", p.Node, both.from, both.to)
		}
		for _, both := range overlaps(works, unready, worksUnready) {
			r.add("%s says that it is not ready while messages come through, from %s to %s", p.Node, both.from, both.to)
		}
	}
}
