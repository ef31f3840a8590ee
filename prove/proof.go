package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Verdict is what became of one proof. Why is empty if it holds.
type Verdict struct {
	Mutation string
	Proof
	Why  string
	Took time.Duration // since its mutation began
}

func (v Verdict) String() string {
	name, _, _ := strings.Cut(v.Mutation, ":")
	if v.Why != "" {
		return fmt.Sprintf("NO PROOF  %s by %s %s: %s", name, v.Place, v.Test, v.Why)
	}
	return fmt.Sprintf("proved    %s by %s %s (%.0f s)", name, v.Place, v.Test, v.Took.Seconds())
}

// passes says that a test did not notice the mutation, and late that it had no time to.
const passes, late = "the test passes", "the test ran into its time limit"

// runs is how often a Go test may run to notice: some wait for goroutines to meet in an order
// that not every run has.
const runs = 3

// mayHold reports whether another run may prove what this one did not.
func mayHold(why string) bool { return why == passes || why == late }

// Prove breaks a copy of the program and runs the tests, those of one Go package in one run, but
// for parts of tests (TestOne/part). The tree itself is not touched.
func (m Mutation) Prove(ctx context.Context) []Verdict {
	began := time.Now()
	dir, err := os.MkdirTemp("", "prove-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = m.writeOverlay(dir)
	}
	packages := map[string][]string{}
	for _, p := range m.Proofs {
		packages[p.group()] = append(packages[p.group()], p.Test)
	}
	ran := map[string]string{}
	verdicts := make([]Verdict, 0, len(m.Proofs))
	for _, p := range m.Proofs {
		v := Verdict{Mutation: m.Name, Proof: p}
		switch {
		case err != nil:
			v.Why = err.Error()
		case p.Tool == "npm":
			v.Why = runPage(ctx, dir, p)
		default:
			if _, done := ran[p.group()]; !done {
				ran[p.group()] = runGo(ctx, dir, p.Place, packages[p.group()])
			}
			v.Why = judgeGo(ran[p.group()], p.Test)
			for again := 1; mayHold(v.Why) && again < runs; again++ {
				v.Why = judgeGo(runGo(ctx, dir, p.Place, []string{p.Test}), p.Test)
			}
		}
		v.Took = time.Since(began)
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// group names the proofs that one run serves: a pattern for parts of a test would leave out those
// of the others.
func (p Proof) group() string {
	if strings.Contains(p.Test, "/") {
		return p.Place + " " + p.Test
	}
	return p.Place
}

// pattern matches whole tests, or one part of one.
func pattern(tests []string) string {
	return "^(" + strings.ReplaceAll(strings.Join(tests, "|"), "/", ")$/^(") + ")$"
}

// writeOverlay writes the edited files, and the list of them that the go command and the page's
// tests read.
func (m Mutation) writeOverlay(dir string) error {
	files, err := m.broken()
	if err != nil {
		return err
	}
	replace := map[string]string{}
	for file, text := range files {
		original, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		edited := filepath.Join(dir, strconv.Itoa(len(replace))+filepath.Ext(file))
		if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
			return err
		}
		replace[original] = edited
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(overlay(dir), list, 0o600)
}

func overlay(dir string) string { return filepath.Join(dir, "overlay.json") }

// runGo gives the overlay by GOFLAGS, so that a test that builds the program builds the broken one.
// A test that make test leaves out for its length proves like any other. A test alone need not go
// on to its other parts once one has failed: each might wait in vain for what is broken.
func runGo(ctx context.Context, dir, place string, tests []string) string {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off", "-ldflags=-s -w", "-timeout=300s",
		"-v", "-failfast="+strconv.FormatBool(len(tests) == 1), "-run", pattern(tests), place)
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay(dir), "FECHATTER_ALL_SCENARIOS=1")
	out, _ := cmd.CombinedOutput() // the exit status says less than the text
	return string(out)
}

// judgeGo returns why the output of a run is no proof, or nothing.
func judgeGo(out, test string) string {
	reported := func(word string) bool {
		return regexp.MustCompile(`(?m)^ *--- ` + word + `: ` + regexp.QuoteMeta(test) + ` `).MatchString(out)
	}
	switch {
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		return "does not compile\n" + out
	case reported("FAIL"):
		return ""
	case reported("SKIP"):
		return "the test was skipped"
	case reported("PASS"):
		return passes
	case strings.Contains(out, "panic: test timed out"):
		return late
	case strings.Contains(out, "no tests to run"):
		return "there is no such test"
	}
	return "failed for another reason\n" + out
}

// report is what is read of vitest's: a run that cannot load its files has no tests in it.
type report struct {
	TestResults []struct {
		AssertionResults []struct {
			Status          string
			FailureMessages []string
		}
	}
}

func runPage(ctx context.Context, dir string, p Proof) string {
	result := filepath.Join(dir, "report.json")
	cmd := exec.CommandContext(ctx, "npx", "vitest", "run", p.Place, "-t", p.Test, "--reporter=json", "--outputFile="+result)
	cmd.Dir = "web"
	cmd.Env = append(os.Environ(), "OVERLAY="+overlay(dir))
	out, _ := cmd.CombinedOutput()
	text, err := os.ReadFile(result)
	if err != nil {
		return "vitest wrote no report\n" + string(out)
	}
	return judgePage(text)
}

// judgePage returns why vitest's report is no proof, or nothing.
func judgePage(text []byte) string {
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return err.Error()
	}
	passed, timedOut := false, false
	for _, file := range r.TestResults {
		for _, test := range file.AssertionResults {
			timeout := strings.Contains(strings.Join(test.FailureMessages, "\n"), "timed out in")
			if test.Status == "failed" && !timeout {
				return ""
			}
			timedOut = timedOut || test.Status == "failed"
			passed = passed || test.Status == "passed"
		}
	}
	switch {
	case timedOut:
		return late
	case passed:
		return passes
	}
	return "there is no such test"
}
