package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Who sends in hot, whatever the number of nodes: some have a connection each, and on it
// several sends under way.
const (
	hotSenders = 16
	hotWindow  = 8
)

// hotRun is one number of nodes in one round.
type hotRun struct {
	Run     string  `json:"run"`
	Round   int     `json:"round"`
	Nodes   int     `json:"nodes"`
	Sends   int64   `json:"sends"`
	Refused int64   `json:"refused"`
	Rate    float64 `json:"sends_per_s"`
}

// hotResult compares numbers of nodes; the first is one node.
type hotResult struct {
	Run    string    `json:"run"`
	Rates  []float64 `json:"sends_per_s"` // medians
	Ratios []float64 `json:"ratios"`      // medians of those to one node in the same round
}

// hot sends into one chat as fast as it is acknowledged, from one node, two, and so on
// up to o.nodes (at least three), all on a PostgreSQL of their own.
func hot(ctx context.Context, o options) (any, error) {
	nodes := max(3, o.nodes)
	rates, ratios := make([][]float64, nodes), make([][]float64, nodes)
	for round := range o.rounds {
		for n := range nodes {
			run, err := hotOnce(ctx, o, n+1)
			if err != nil {
				return nil, err
			}
			run.Round = round + 1
			if err := json.NewEncoder(os.Stdout).Encode(run); err != nil {
				return nil, err
			}
			rates[n] = append(rates[n], run.Rate)
			ratios[n] = append(ratios[n], hundredths(run.Rate/rates[0][round]))
		}
	}
	result := hotResult{Run: "hot"}
	for n := range nodes {
		result.Rates, result.Ratios = append(result.Rates, median(rates[n])), append(result.Ratios, median(ratios[n]))
	}
	return result, nil
}

func hotOnce(ctx context.Context, o options, nodes int) (run hotRun, err error) {
	c := &cluster{}
	defer func() { err = errors.Join(err, c.stop()) }()
	if c.services, err = startServices(ctx); err != nil {
		return run, err
	}
	for range nodes {
		s, err := startServer(ctx, o.program, c.services.env...)
		if err != nil {
			return run, err
		}
		c.nodes = append(c.nodes, s)
	}
	o.users, o.members, o.chats = hotSenders, hotSenders, 1
	users, err := setUp(ctx, c.url(0), o)
	if err != nil {
		return run, err
	}
	members, err := join(ctx, c, users, hotSenders)
	if err != nil {
		return run, err
	}
	run = hotRun{Run: "hot", Nodes: nodes}
	var stored, refused atomic.Int64
	var g errgroup.Group
	began := time.Now()
	for _, m := range members {
		g.Go(func() error { return m.hurry(ctx, began.Add(o.duration), &stored, &refused) })
	}
	err = g.Wait()
	run.Sends, run.Refused = stored.Load(), refused.Load()
	run.Rate = hundredths(float64(run.Sends) / time.Since(began).Seconds())
	return run, err
}

// hurry keeps several sends under way until the end, and waits for their answers.
func (m member) hurry(ctx context.Context, end time.Time, stored, refused *atomic.Int64) error {
	defer func() { _ = m.conn.CloseNow() }()
	sent, answered := 0, 0
	for {
		for ; sent-answered < hotWindow && time.Now().Before(end); sent++ {
			key := fmt.Sprintf("%s-%d", m.user.name, sent)
			if err := m.conn.Write(ctx, key, "message.send", message{m.user.team.chats[0], key, usual}); err != nil {
				return err
			}
		}
		if sent == answered {
			return nil
		}
		f, err := m.conn.Read(ctx)
		switch {
		case err != nil:
			return err
		case f.Re != nil && f.Op == "ok":
			answered++
			stored.Add(1)
		case f.Re != nil:
			answered++
			refused.Add(1)
		}
	}
}
