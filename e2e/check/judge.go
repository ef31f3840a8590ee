package check

import (
	"fmt"
	"strings"
)

// Violation is a broken promise and the evidence.
type Violation struct {
	Check    string
	Evidence string
}

// maxEvidence bounds what one check reports: the first few tell the story.
const maxEvidence = 10

// report gathers the violations of one check.
type report struct {
	check string
	count int
	list  []Violation
}

func (r *report) add(format string, args ...any) {
	if r.count++; r.count <= maxEvidence {
		r.list = append(r.list, Violation{r.check, fmt.Sprintf(format, args...)})
	}
}

// named is one check.
type named struct {
	name  string
	check func(*Run, *report)
}

func all() []named {
	return []named{
		{"acks", checkAcks},
		{"keys", checkKeys},
		{"seqs", checkSeqs},
		{"times", checkTimes},
		{"order", checkOrder},
		{"streams", checkStreams},
		{"content", checkContent},
		{"resets", checkResets},
		{"removed", checkRemoved},
		{"complete", checkComplete},
		{"fold", checkFold},
		{"faults", checkFaults},
		{"cursors", checkCursors},
		{"index", checkIndex},
		{"ready", checkReady},
	}
}

// Judge returns every broken promise, and nothing if all were kept.
func Judge(run *Run) []Violation {
	var list []Violation
	for _, n := range all() {
		r := &report{check: n.name}
		n.check(run, r)
		list = append(list, r.list...)
		if r.count > maxEvidence {
			list = append(list, Violation{n.name, fmt.Sprintf("and %d more", r.count-maxEvidence)})
		}
	}
	return list
}

// Story formats violations, one a line.
func Story(list []Violation) string {
	var b strings.Builder
	for _, v := range list {
		fmt.Fprintf(&b, "\n  %s: %s", v.Check, v.Evidence)
	}
	return b.String()
}
