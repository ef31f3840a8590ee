package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"fechatter/chat"
)

// crew is the workers of a kind.
type crew struct {
	Kind
	run   *Runner
	wake  chan struct{}
	fresh atomic.Bool // a job was put on this node, and nobody else knows
}

func (c *crew) look() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// callHelp tells the other nodes of fresh work that this one has no workers for.
func (c *crew) callHelp(busy int) {
	if c.fresh.Swap(false) && busy == c.Workers && c.run.announce != nil {
		c.run.announce(c.Name)
	}
}

// work claims jobs and does each on a goroutine, as many at once as there are workers.
func (c *crew) work(ctx context.Context) {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	busy, free := 0, make(chan struct{}, c.Workers)
	for ctx.Err() == nil {
		for len(free) > 0 {
			<-free
			busy--
		}
		jobs, wait := c.claim(ctx, c.Workers-busy)
		for _, j := range jobs {
			busy++
			go func() {
				defer func() { free <- struct{}{} }()
				c.do(working, j)
			}()
		}
		c.callHelp(busy)
		busy -= c.rest(ctx, wait, free)
	}
	late := time.AfterFunc(c.run.grace, cancel)
	defer late.Stop()
	for range busy {
		<-free
	}
}

// rest waits until there may be something to do, and returns how many workers have
// become free.
func (c *crew) rest(ctx context.Context, wait time.Duration, free <-chan struct{}) int {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-c.wake:
	case <-timer.C:
	case <-free:
		return 1
	}
	return 0
}

// claim claims what is due for so many workers, and returns how long to wait if nothing
// happens before.
func (c *crew) claim(ctx context.Context, workers int) (jobs []chat.ClaimedJob, wait time.Duration) {
	if workers == 0 {
		return nil, lookEvery
	}
	in, known, err := c.run.store.NextJob(ctx, c.Name)
	if err == nil && known && in <= 0 {
		jobs, err = c.run.store.ClaimJobs(ctx, c.Name, c.Claim, workers)
		in = 0
	}
	switch {
	case ctx.Err() != nil:
		return jobs, 0
	case err != nil:
		c.run.log.Warn("look for jobs", "kind", c.Name, "error", err)
		return jobs, troubled + rand.N(troubled)
	case !known:
		return nil, lookEvery
	case in <= 0 && len(jobs) == 0: // others were faster
		return nil, rand.N(troubled)
	}
	return jobs, min(in, lookEvery)
}

// do does one job and says what became of it.
func (c *crew) do(ctx context.Context, j chat.ClaimedJob) {
	if j.Attempts > c.Attempts {
		c.end(ctx, j, buried, fmt.Errorf("nodes ended while they were at it, or could not say what became of it, %d times", c.Attempts))
		return
	}
	limited, cancel := context.WithTimeout(ctx, c.Claim*3/4)
	err := contained(limited, j, c.Do)
	cancel()
	switch {
	case err == nil:
		c.end(ctx, j, done, nil)
	case errors.Is(err, ErrDone):
		c.run.tally.add(c.Name, done)
	case ctx.Err() != nil:
		c.end(ctx, j, released, nil)
	case errors.As(err, new(hopeless)), j.Attempts == c.Attempts, c.Give > 0 && j.Age >= c.Give:
		c.end(ctx, j, buried, err)
	default:
		c.end(ctx, j, retried, err)
	}
}

// longest is the longest pause after so many failures.
func (c *crew) longest(failures int) time.Duration {
	pause := c.Pause
	for range failures - 1 {
		if pause = 2 * pause; pause >= c.MaxPause {
			return c.MaxPause
		}
	}
	return pause
}

// end tells the store what became of a job, for as long as the claim may last.
func (c *crew) end(ctx context.Context, j chat.ClaimedJob, what outcome, cause error) {
	limit := c.Claim / 4
	if ctx.Err() != nil {
		limit = min(limit, lastWord)
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	for {
		ours, err := c.tell(patience, j, what, cause)
		switch {
		case err == nil && ours:
			c.run.tally.add(c.Name, what)
			if cause != nil {
				c.run.log.Warn("job failed", "kind", c.Name, "key", j.Key, "attempt", j.Attempts, "outcome", what, "error", cause)
			}
			return
		case err == nil:
			c.run.tally.add(c.Name, lost)
			c.run.log.Warn("the claim of a job ran out", "kind", c.Name, "key", j.Key, "attempt", j.Attempts)
			return
		}
		c.run.log.Warn("end job", "kind", c.Name, "key", j.Key, "error", err)
		select {
		case <-patience.Done():
			c.run.tally.add(c.Name, lost)
			return
		case <-time.After(rand.N(troubled)):
		}
	}
}

// maxProblem bounds what is kept of an error.
const maxProblem = 500

func (c *crew) tell(ctx context.Context, j chat.ClaimedJob, what outcome, cause error) (ours bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, wordTimeout)
	defer cancel()
	switch what {
	case done:
		return c.run.store.FinishJob(ctx, j)
	case released:
		return c.run.store.ReleaseJob(ctx, j)
	case buried:
		return c.run.store.BuryJob(ctx, j, problem(cause))
	}
	// Full jitter: those that failed together do not come back together.
	return c.run.store.RetryJob(ctx, j, rand.N(c.longest(j.Attempts))+1, problem(cause))
}

// problem is what is kept of an error, which may quote what a foreign server said.
func problem(err error) string {
	line := chat.CleanLine(strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "?"), "\x00", "?"))
	return strings.ToValidUTF8(line[:min(len(line), maxProblem)], "")
}

// contained turns a panic of one job into its error.
func contained(ctx context.Context, j chat.ClaimedJob, do func(context.Context, chat.ClaimedJob) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return do(ctx, j)
}
