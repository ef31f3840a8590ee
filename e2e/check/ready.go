package check

import (
	"slices"
	"time"
)

// Readiness may lag behind the truth by this much. The limit lies well above the
// two seconds after which a node notices a fault, or a machine with other things
// to do would break a promise that the server keeps; and below the ten seconds
// that the faults last which readiness must show.
const readyLag = 8 * time.Second

// Probe is what one node looks like from outside, past every fault between it and
// its clients.
type Probe struct {
	Node  string
	Looks []Look // in any order
}

// LookKind is what a look was at.
type LookKind int

// The kinds of looks.
const (
	LookSend  LookKind = iota // a message was sent and should come back
	LookReady                 // the node was asked whether it is ready
)

// Look is one look at a node.
type Look struct {
	Kind       LookKind
	Begun, End time.Duration // on the clock that all clients share
	OK         bool
	Draining   bool // LookReady: the node says that it is leaving
}

// checkReady: a node that says it is ready works, and one that works says so. A
// node that drains is unready on purpose.
func checkReady(run *Run, r *report) {
	for _, p := range run.Probes {
		fails := p.stretches(LookSend, func(l Look) bool { return !l.OK })
		works := p.stretches(LookSend, func(l Look) bool { return l.OK })
		ready := p.stretches(LookReady, func(l Look) bool { return l.OK })
		unready := p.stretches(LookReady, func(l Look) bool { return !l.OK && !l.Draining })
		for _, both := range overlaps(fails, ready, readyLag) {
			r.add("%s is ready while no message comes through, from %s to %s", p.Node, both.from, both.to)
		}
		for _, both := range overlaps(works, unready, readyLag) {
			r.add("%s is not ready while messages come through, from %s to %s", p.Node, both.from, both.to)
		}
	}
}

// stretch is a time in which all looks of a kind had the same outcome.
type stretch struct{ from, to time.Duration }

// stretches returns the times in which the looks of a kind satisfy which, from the
// beginning of the first to the end of the last in a row.
func (p Probe) stretches(kind LookKind, which func(Look) bool) (list []stretch) {
	looks := slices.SortedFunc(slices.Values(p.Looks), func(a, b Look) int { return int(a.Begun - b.Begun) })
	open := false
	for _, l := range looks {
		switch {
		case l.Kind != kind:
		case !which(l):
			open = false
		case open:
			list[len(list)-1].to = l.End
		default:
			list, open = append(list, stretch{l.Begun, l.End}), true
		}
	}
	return list
}

// overlaps returns what stretches of both lists share for longer than limit.
func overlaps(a, b []stretch, limit time.Duration) (list []stretch) {
	for _, x := range a {
		for _, y := range b {
			both := stretch{max(x.from, y.from), min(x.to, y.to)}
			if both.to-both.from > limit {
				list = append(list, stretch{both.from.Round(time.Millisecond), both.to.Round(time.Millisecond)})
			}
		}
	}
	return list
}
