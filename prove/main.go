// Command prove shows that the tests can fail. It reads a list of mutations (see Mutation), breaks
// the program as each says, in a copy outside the tree, and expects the named tests to notice.
//
//	go run ./prove mutations.txt
//	go run ./prove -run 'ring|fence' mutations.txt
//
// A proof holds if the test itself reports, in one of three runs, that it failed. It does not hold
// if the test passes, is skipped, does not exist or does not compile. Nor does it hold if the test
// runs into its time limit or the process crashes: that shows that something broke, not that the
// test looks at the promise.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

func main() {
	pick := flag.String("run", "", "prove only mutations whose name matches this `regexp`")
	// A broken test often waits in vain: more of them than cores run at once.
	jobs := flag.Int("p", 2*runtime.NumCPU(), "how many mutations to prove at once")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, flag.Arg(0), *pick, *jobs); err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, list, pick string, jobs int) error {
	wanted, err := regexp.Compile(pick)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return fmt.Errorf("read the mutations: %w", err)
	}
	all, err := Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	var mu sync.Mutex
	var verdicts []Verdict
	var group errgroup.Group
	group.SetLimit(jobs)
	for _, m := range all {
		if !wanted.MatchString(m.Name) {
			continue
		}
		group.Go(func() error {
			of := m.Prove(ctx)
			mu.Lock()
			defer mu.Unlock()
			for _, v := range of {
				fmt.Println(v)
			}
			verdicts = append(verdicts, of...)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return conclude(verdicts)
}

// conclude says again at the end what does not hold: the output of a long run is read from there.
func conclude(all []Verdict) error {
	if len(all) == 0 {
		return fmt.Errorf("there was nothing to prove")
	}
	var failed []Verdict
	for _, v := range all {
		if v.Why != "" {
			failed = append(failed, v)
		}
	}
	fmt.Printf("prove: %d of %d proved\n", len(all)-len(failed), len(all))
	if len(failed) == 0 {
		return nil
	}
	for _, v := range failed {
		fmt.Println(v)
	}
	return fmt.Errorf("%d proofs do not hold", len(failed))
}
