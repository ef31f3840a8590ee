package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// scaleOptions are the flags of scale.
type scaleOptions struct {
	verify  int
	costs   string
	what    workload
	allowed machine
}

func (o *scaleOptions) flags(f *flag.FlagSet) {
	f.IntVar(&o.verify, "verify", 2000, "connections of the run that scale compares with its prediction; 0: none")
	f.StringVar(&o.costs, "costs", "", "a file with the costs of another run of scale: nothing is measured, the model alone runs")
	f.Float64Var(&o.what.SendsPerHour, "sends-per-hour", 20, "of the model: messages of a connection in an hour at the peak")
	f.Float64Var(&o.what.Audience, "audience", 20, "of the model: connections that get a message")
	f.Float64Var(&o.what.Chats, "chats-each", 30, "of the model: chats of a connection")
	f.Float64Var(&o.what.ResumesPerHour, "resumes-per-hour", 2, "of the model: how often a connection comes back in an hour")
	f.Float64Var(&o.allowed.Cores, "node-cores", 8, "of the model: processors of a node")
	f.Float64Var(&o.allowed.GB, "node-gb", 16, "of the model: memory of a node")
	f.Float64Var(&o.allowed.Back, "back", 20, "of the model: seconds within which the others take the connections of a node that died")
	f.Float64Var(&o.allowed.Busy, "busy", 0.5, "of the model: the share of its processors and its memory that a node uses at the peak")
}

// scaleResult is one run of scale.
type scaleResult struct {
	Run         string       `json:"run"`
	Costs       costs        `json:"costs"`
	Predictions []prediction `json:"predictions"`
	Verified    []verified   `json:"verified,omitempty"`
}

// verified is a figure of a real run beside the model's.
type verified struct {
	Figure    string  `json:"figure"`
	Predicted float64 `json:"predicted"`
	Measured  float64 `json:"measured"`
	Ratio     float64 `json:"measured_of_predicted"`
}

// scale measures what each thing costs, predicts what many connections take, and compares the
// prediction for some with a real run. Tables go to standard error.
func scale(ctx context.Context, o options) (any, error) {
	result := scaleResult{Run: "scale"}
	if o.costs != "" {
		text, err := os.ReadFile(o.costs)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &result); err != nil {
			return nil, fmt.Errorf("%s: %w", o.costs, err)
		}
	} else if err := result.measure(ctx, o); err != nil {
		return nil, err
	}
	result.Predictions = nil
	for _, connections := range []float64{10_000, 100_000, 1_000_000} {
		result.Predictions = append(result.Predictions, predict(result.Costs, o.what, o.allowed, connections))
	}
	printScale(os.Stderr, result)
	return result, nil
}

func (r *scaleResult) measure(ctx context.Context, o options) (err error) {
	field, err := openField(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, field.close()) }()
	if r.Costs, err = field.costs(ctx, o); err != nil {
		return err
	}
	if o.verify > 0 {
		r.Verified, err = field.verify(ctx, o, r.Costs)
	}
	return err
}

func printScale(w io.Writer, r scaleResult) {
	t := table{head: []string{"cost", "of"}}
	for _, c := range r.Costs.list() {
		t.rows = append(t.rows, []string{fmt.Sprintf("%.4g %s", c.value, c.unit), c.of})
	}
	t.print(w)
	t = table{head: []string{"the model says"}}
	for _, p := range r.Predictions {
		t.head = append(t.head, fmt.Sprintf("%.0f connections", p.Connections))
	}
	for _, f := range predictedFigures() {
		row := []string{f.title}
		for _, p := range r.Predictions {
			row = append(row, digits(f.of(p)))
		}
		t.rows = append(t.rows, row)
	}
	t.print(w)
	if len(r.Verified) == 0 {
		return
	}
	t = table{head: []string{"beside a real run", "predicted", "measured", "measured of predicted"}}
	for _, v := range r.Verified {
		t.rows = append(t.rows, []string{v.Figure, digits(v.Predicted), digits(v.Measured), fmt.Sprintf("%.2f ×", v.Ratio)})
	}
	t.print(w)
}

// digits writes a figure with three digits, or without a fraction if it has more.
func digits(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// usage is the processor time that the parts have used.
type usage struct {
	nodes          []time.Duration
	postgres, nats time.Duration
}

// since is what was used after before.
func (u usage) since(before usage) usage {
	d := usage{postgres: u.postgres - before.postgres, nats: u.nats - before.nats}
	for i := range u.nodes {
		d.nodes = append(d.nodes, u.nodes[i]-before.nodes[i])
	}
	return d
}

// all is what the nodes used together.
func (u usage) all() (sum time.Duration) {
	for _, n := range u.nodes {
		sum += n
	}
	return sum
}

// micros is a duration as a share of n things, in microseconds.
func micros(d time.Duration, n float64) float64 { return float64(d.Nanoseconds()) / 1000 / n }
