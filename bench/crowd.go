package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowdSize is how many connections a process holds: it may have 20,000 files open on many
// machines.
const crowdSize = 9000

// crowdJob is what a process of clients is told: connections of the people, in turn, to the nodes
// in turn, so that everybody is on all of them.
type crowdJob struct {
	URLs    []string
	Tokens  []string
	Cursors []map[string]int64 // by person; nil for a fresh start
	From    int
	To      int
}

// crowdResult is what it has seen when it is told to end.
type crowdResult struct {
	Deliveries int     `json:"deliveries"`
	Dropped    int     `json:"dropped"`
	Delivery   summary `json:"delivery_ms"`
}

// crowd is connections in processes of their own.
type crowd struct {
	members []*crowdProcess
	took    time.Duration // until all were connected
}

type crowdProcess struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

// gatherCrowd opens connections, in as many processes as they need.
func gatherCrowd(ctx context.Context, job crowdJob, connections int) (*crowd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c, began := &crowd{}, time.Now()
	for job.From = 0; job.From < connections; job.From = job.To {
		job.To = min(connections, job.From+crowdSize)
		p := &crowdProcess{cmd: exec.CommandContext(ctx, program, "serve", "crowd", "-")}
		p.cmd.Stderr = os.Stderr
		if p.stdin, err = p.cmd.StdinPipe(); err != nil {
			c.close()
			return nil, err
		}
		out, err := p.cmd.StdoutPipe()
		if err == nil {
			err = p.cmd.Start()
		}
		if err != nil {
			c.close()
			return nil, err
		}
		p.out = bufio.NewReader(out)
		c.members = append(c.members, p)
		if err := json.NewEncoder(p.stdin).Encode(job); err != nil {
			c.close()
			return nil, err
		}
	}
	for _, p := range c.members { // all connect at once
		if _, err := p.out.ReadString('\n'); err != nil {
			c.close()
			return nil, fmt.Errorf("a process of clients: %w", err)
		}
	}
	c.took = time.Since(began)
	return c, nil
}

// leave ends the connections and returns what they have seen together.
func (c *crowd) leave() (sum crowdResult, err error) {
	for _, p := range c.members {
		err = errors.Join(err, p.stdin.Close())
		var r crowdResult
		err = errors.Join(err, json.NewDecoder(p.out).Decode(&r), p.cmd.Wait())
		sum.Deliveries, sum.Dropped = sum.Deliveries+r.Deliveries, sum.Dropped+r.Dropped
		if r.Delivery.P99 > sum.Delivery.P99 {
			sum.Delivery = r.Delivery
		}
	}
	c.members = nil
	return sum, err
}

// close ends processes that have not left.
func (c *crowd) close() {
	for _, p := range c.members {
		if p.cmd.Process != nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait() // killed
		}
	}
}

// serveCrowd is a process of clients: it reads its job, connects, says so, reads until its input
// ends, and says what it has seen.
func serveCrowd(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var job crowdJob
	told := json.NewDecoder(in)
	if err := told.Decode(&job); err != nil {
		return err
	}
	var seen []time.Duration
	c, err := newRawClient(func(s stamp, now time.Time, _ *rawConn) { seen = append(seen, now.Sub(s.sent)) })
	if err != nil {
		return err
	}
	defer c.close()
	var g errgroup.Group
	g.Go(func() error { return c.run(ctx) }) // from the first connection on: the server asks whether it lives
	for i := job.From; i < job.To && err == nil; i++ {
		if err = job.connect(ctx, c, i); err != nil {
			err = fmt.Errorf("connection %d: %w", i, err)
		}
	}
	if err == nil {
		fmt.Fprintln(out, "connected")
		_ = told.Decode(new(any)) // nothing comes but the end
	}
	cancel()
	if err := errors.Join(err, g.Wait()); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(crowdResult{Deliveries: len(seen), Dropped: c.dropped, Delivery: summarize(seen)})
}

func (j crowdJob) connect(ctx context.Context, c *rawClient, i int) error {
	person := i % len(j.Tokens)
	cursors := []byte("{}")
	if j.Cursors != nil {
		var err error
		if cursors, err = json.Marshal(j.Cursors[person]); err != nil {
			return err
		}
	}
	_, err := c.dial(ctx, j.URLs[(i+i/len(j.Tokens))%len(j.URLs)], http.Header{"Authorization": {"Bearer " + j.Tokens[person]}},
		[]greeting{{`{"id":"r","op":"resume","d":{"cursors":` + string(cursors) + `}}`, `"op":"ready"`}})
	return err
}
