package check

import (
	"slices"
	"time"
)

// Probe is what was seen of one node from outside, past all faults between it and
// its clients.
type Probe struct {
	Node  string
	Looks []Look // in any order
}

// LookKind is what a look was at.
type LookKind int

// The kinds of looks.
const (
	Asked LookKind = iota // a message was sent, and should come back
	Told                  // the node was asked whether it is ready
)

// Look is one look at a node.
type Look struct {
	Kind       LookKind
	Begun, End time.Duration // on the clock of all clients
	OK         bool
	Draining   bool // Told: the node says that it is leaving
}

// stretch is a time in which all looks of a kind had the same outcome.
type stretch struct{ from, to time.Duration }

// spans gives the times in which looks are as which says, from the begin of the
// first to the end of the last in a row. Looks of the other kind do not count.
func (p Probe) spans(which func(Look) bool) (list []stretch) {
	looks := slices.SortedFunc(slices.Values(p.Looks), func(a, b Look) int { return int(a.Begun - b.Begun) })
	open := false
	var kind LookKind
	for _, l := range looks {
		if which(l) {
			kind = l.Kind
			break
		}
	}
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

// overlaps gives what spans of both lists have in common for longer than limit.
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
