package conform

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"fechatter/conform/client"
)

const (
	checkLimit = 2 * time.Minute // for one check, the waits that the server asks for included
	sweepLimit = 3 * time.Minute
)

// Config says what to check.
type Config struct {
	URL   string // of a node, such as https://chat.example.org
	Other string // of another node of the same deployment; empty: checks between nodes are skipped
	// Origin is how browsers reach the deployment (its public_url), if not by URL.
	Origin string
	Only   *regexp.Regexp // which checks, by "§2 name"; nil: all
	// Roots are the authorities that verify the server's certificate; nil: the system's.
	Roots *x509.CertPool

	// Invitation is the code of an invitation for some ten users, and SetupCode the one of
	// a deployment without users, which makes an administrator who invites the others.
	// Both empty: registration is open.
	Invitation, SetupCode string

	// Patience is how long a check waits for what must come, where the contract sets no
	// limit; 0: 30 s. Slack is added to the limits that it sets, for a server that
	// shares its machine; 0: none.
	Patience, Slack time.Duration
}

// Run makes the checks one after the other, with those that only wait beside them,
// and removes what they made. It writes every result to out at once. An error means
// that nothing could be checked, or not everything because ctx ended; a check that
// fails is in the report.
func Run(ctx context.Context, c Config, out io.Writer) (Report, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() // so that no connection outlives the run
	transport.MaxIdleConnsPerHost = 16
	if c.Roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	}
	defer transport.CloseIdleConnections()
	r := &runner{out: out, invitation: c.Invitation, setupCode: c.SetupCode, report: Report{Started: time.Now(), URL: c.URL}}
	r.pace = pace{&http.Client{CheckRedirect: client.KeepRedirects, Transport: transport}, cmp.Or(c.Patience, 30*time.Second), c.Slack}
	var err error
	if r.url, err = base(c.URL); err == nil && c.Other != "" {
		r.other, err = base(c.Other)
	}
	r.origin = r.url
	if err == nil && c.Origin != "" {
		r.origin, err = base(c.Origin)
	}
	if err != nil {
		return Report{}, err
	}
	if !slices.ContainsFunc(checks(), c.chooses) {
		return Report{}, fmt.Errorf("no check matches %s", c.Only) // a slip must not pass for a sound server
	}
	if t := attempt(ctx, checkLimit, r.pace, r.hire); len(t.failures) > 0 {
		if len(r.people) > 0 {
			r.sweep(ctx)
		}
		return Report{}, errors.New("cannot check anything: " + t.failures[0])
	}
	r.all(ctx, c)
	r.sweep(ctx)
	r.report.Took = time.Since(r.report.Started)
	return r.report, ctx.Err()
}

// base returns a server's address without the slash at its end.
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
	origin     string // whose pages may use the server
	pace       pace
	cast       cast // as hired, of no check

	invitation, setupCode string

	mu     sync.Mutex
	out    io.Writer
	report Report
	people []person // to sweep after
}

// chooses reports whether to make a check.
func (c Config) chooses(one check) bool {
	return c.Only == nil || c.Only.MatchString(one.section+" "+one.name)
}

func (r *runner) all(ctx context.Context, config Config) {
	var waiting sync.WaitGroup
	for _, c := range checks() {
		switch {
		case !config.chooses(c):
		case ctx.Err() != nil:
			r.add(Result{Section: c.section, Name: c.name, Outcome: Skip, Reason: "interrupted"})
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
	t := attempt(ctx, checkLimit, r.pace, func(t *T) {
		if c.nodes > 1 && r.other == "" {
			t.Skipf("needs a second node")
		}
		c.fn(t, r.castOf(t))
	})
	r.add(resultOf(c.section, c.name, t, time.Since(started)))
}

// add adds a result to the report and writes it.
func (r *runner) add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Results = append(r.report.Results, result)
	// The checks go on without a reader: the report has the results.
	_, _ = io.WriteString(r.out, result.String())
}
