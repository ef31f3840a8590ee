package conform

import (
	"fmt"
	"strings"
	"time"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes. Skip is a check of something that the server does not serve.
const (
	Pass Outcome = "pass"
	Fail Outcome = "FAIL"
	Skip Outcome = "skip"
)

// Result is the outcome of one check.
type Result struct {
	Section string // of the contract
	Name    string
	Outcome Outcome
	Reason  string // of a skip or a failure; several failures have a line each
	Took    time.Duration
}

// Report is the outcome of a run.
type Report struct {
	URL     string
	Started time.Time
	Took    time.Duration
	Results []Result
}

func resultOf(section, name string, t *T, took time.Duration) Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Result{Section: section, Name: name, Outcome: Pass, Took: took}
	switch {
	case len(t.failures) > 0:
		r.Outcome, r.Reason = Fail, strings.Join(t.failures, "\n")
	case t.skipped != "":
		r.Outcome, r.Reason = Skip, t.skipped
	}
	return r
}

// String is a line for the result, and lines for the reason below it.
func (r Result) String() string {
	line := fmt.Sprintf("%s  %-3s %s (%s)\n", r.Outcome, r.Section, r.Name, r.Took.Round(time.Millisecond))
	if r.Reason == "" {
		return line
	}
	return line + "          " + strings.ReplaceAll(r.Reason, "\n", "\n          ") + "\n"
}

// Count returns how many checks had an outcome.
func (r Report) Count(o Outcome) (n int) {
	for _, result := range r.Results {
		if result.Outcome == o {
			n++
		}
	}
	return n
}

// String is the summary.
func (r Report) String() string {
	return fmt.Sprintf("%d checks of %s: %d passed, %d failed, %d skipped, in %s\n", len(r.Results), r.URL,
		r.Count(Pass), r.Count(Fail), r.Count(Skip), r.Took.Round(100*time.Millisecond))
}
