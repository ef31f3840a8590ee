package conform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	checkLimit = 2 * time.Minute // for one check, the waits that the server asks for included
	sweepLimit = 3 * time.Minute
)

// Config says what is asked.
type Config struct {
	URL   string         // of a node, such as https://chat.example.org
	Other string         // of another node of the same deployment; empty: checks between nodes are skipped
	Only  *regexp.Regexp // which checks, by "§2 name"; nil: all
}

// Run makes the checks one after the other, those that only wait beside them,
// and takes away what they made. Every result is written to out as soon as it is
// there. An error means that nothing could be checked, or not everything because
// ctx ended; a check that fails is in the report.
func Run(ctx context.Context, c Config, out io.Writer) (Report, error) {
	r := &runner{out: out, report: Report{Started: time.Now(), URL: c.URL}}
	var err error
	if r.url, err = base(c.URL); err == nil && c.Other != "" {
		r.other, err = base(c.Other)
	}
	if err != nil {
		return Report{}, err
	}
	if !slices.ContainsFunc(checks(), c.chooses) {
		return Report{}, fmt.Errorf("no check is called like %s", c.Only) // a slip must not pass for a server that is fine
	}
	if t := attempt(ctx, checkLimit, r.hire); len(t.failures) > 0 {
		if len(r.people) > 0 {
			r.sweep(ctx)
		}
		return Report{}, errors.New("nothing can be checked: " + t.failures[0])
	}
	r.all(ctx, c)
	r.sweep(ctx)
	r.report.Took = time.Since(r.report.Started)
	return r.report, ctx.Err()
}

// base is a server's address without the slash at its end.
func base(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is not the address of a server, such as https://chat.example.org", address)
	}
	return strings.TrimRight(address, "/"), nil
}

// runner is one run.
type runner struct {
	url, other string
	cast       cast // as hired, of no check

	mu     sync.Mutex
	out    io.Writer
	report Report
	people []person // to sweep after
}

// chooses says whether a check is to be made.
func (c Config) chooses(one check) bool {
	return c.Only == nil || c.Only.MatchString(one.section+" "+one.name)
}

func (r *runner) all(ctx context.Context, config Config) {
	var waiting sync.WaitGroup
	for _, c := range checks() {
		switch {
		case !config.chooses(c):
		case ctx.Err() != nil:
			r.tell(Result{Section: c.section, Name: c.name, Outcome: Skip, Reason: "interrupted"})
		case c.waits:
			waiting.Go(func() { r.check(ctx, c) })
		default:
			r.check(ctx, c)
		}
	}
	waiting.Wait()
}

func (r *runner) check(ctx context.Context, c check) {
	started := time.Now()
	t := attempt(ctx, checkLimit, func(t *T) {
		if c.nodes > 1 && r.other == "" {
			t.Skipf("needs the address of a second node")
		}
		c.fn(t, r.castOf(t))
	})
	r.tell(resultOf(c.section, c.name, t, time.Since(started)))
}

// tell adds a result to the report and writes it out.
func (r *runner) tell(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Results = append(r.report.Results, result)
	// A reader who went away does not end the checks: the report has the results.
	_, _ = io.WriteString(r.out, result.String())
}
