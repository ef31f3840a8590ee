package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// contest is one load under which peers are compared.
type contest struct {
	name    string
	rate    float64
	senders int
	window  int
	silent  bool
}

// contests are the loads of peers. The last weighs idle connections.
func contests() []contest {
	return []contest{
		{name: "20/s", rate: 20, senders: 1},
		{name: "500/s of 64", rate: 500, senders: 64},
		{name: "1,500/s of 64", rate: 1500, senders: 64},
		{name: "500/s of one", rate: 500, senders: 1},
		{name: "64 under way of one", rate: 1, senders: 1, window: 64},
		{name: "idle", rate: 1, senders: 1, silent: true},
	}
}

// shape returns the options of a contest.
func (c contest) shape(o options) options {
	rest := o.rest
	o.rate, o.senders, o.window, o.silent, o.rest = c.rate, min(c.senders, o.connections), c.window, c.silent, 0
	if c.silent {
		o.rest, o.connections = cmp.Or(rest, time.Second), cmp.Or(o.idle, o.connections)
	}
	return o
}

// comparePeers measures all contests with all peers, round after round, and prints tables in
// Markdown. The lines of the runs go to standard error.
func comparePeers(ctx context.Context, o options) (any, error) {
	m, err := newMatch(ctx, o, os.Stderr)
	if err != nil {
		return nil, err
	}
	defer m.close()
	runs := map[string][]fanoutRun{}
	for round := range o.rounds {
		for _, c := range contests() {
			some, err := m.round(ctx, c.shape(o), round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			runs[c.name] = append(runs[c.name], some...)
		}
	}
	printPeers(os.Stdout, m.names, runs, o)
	return nil, nil
}

// measure is a figure of a run, how it is written, and which contests have it.
type measure struct {
	title    string
	contests []string
	of       func(fanoutRun) float64
	format   string
	ratio    bool // beside that of the program
}

func measures() []measure {
	cpu := func(r fanoutRun) float64 { return r.CPUMicros }
	var loads []string
	for _, c := range contests() {
		if !c.silent {
			loads = append(loads, c.name)
		}
	}
	idle := []string{"idle"}
	return []measure{
		{"Processor per delivery, µs", loads, cpu, "%.2f", true},
		{"Delivery p99, ms", loads, func(r fanoutRun) float64 { return r.Delivery.P99 }, "%.0f", false},
		{"Delivered, per cent", loads, func(r fanoutRun) float64 {
			return 100 * float64(r.Deliveries) / float64(max(1, r.Deliveries+r.Lost))
		}, "%.0f", false},
		{"Messages a second", []string{"64 under way of one"}, func(r fanoutRun) float64 { return r.Throughput }, "%.0f", true},
		{"KB per connection", idle, func(r fanoutRun) float64 { return r.KBPerConn }, "%.1f", true},
		{"KB in the kernel", idle, func(r fanoutRun) float64 { return r.KernelKB }, "%.1f", false},
		{"Ready after, ms", idle, func(r fanoutRun) float64 { return r.ReadyMS }, "%.0f", false},
	}
}

// printPeers prints a table for each measure that several contests have, and one for all others.
func printPeers(w io.Writer, names []string, runs map[string][]fanoutRun, o options) {
	fmt.Fprintf(w, "%d receivers, %d round(s) of %s, %d core(s): medians, and ratios to self in the same round.\n"+
		"! marks figures of runs in which the client was saturated, or that vary by more than 30 %%.\n", o.connections, o.rounds, o.duration, o.cores)
	alone := table{head: []string{"one connection, or none that speaks"}, rows: firstColumn(names)}
	for _, m := range measures() {
		t := &alone
		if len(m.contests) > 1 {
			t = &table{head: []string{m.title}, rows: firstColumn(names)}
		}
		for _, c := range m.contests {
			title := c
			if t == &alone {
				title = m.title
			}
			t.head = append(t.head, title)
			for i, name := range names {
				t.rows[i] = append(t.rows[i], m.cell(name, runs[c]))
			}
		}
		if t != &alone {
			t.print(w)
		}
	}
	alone.print(w)
}

// cell is the median of a peer in a contest.
func (m measure) cell(name string, runs []fanoutRun) string {
	s := figureOf(name, runs, m.of)
	text := fmt.Sprintf(m.format, s.Median)
	if m.ratio && s.Ratio != 0 && name != self {
		text += fmt.Sprintf(" (%.2f ×)", s.Ratio)
	}
	saturated := func(r fanoutRun) bool { return r.Peer == name && slices.Contains(r.Marks, "saturated client") }
	if m.ratio && (s.Wide || slices.ContainsFunc(runs, saturated)) {
		text += " !"
	}
	return text
}

// table is a table in Markdown.
type table struct {
	head []string
	rows [][]string
}

func firstColumn(names []string) (rows [][]string) {
	for _, name := range names {
		rows = append(rows, []string{name})
	}
	return rows
}

func (t table) print(w io.Writer) {
	fmt.Fprintf(w, "\n| %s |\n|%s\n", strings.Join(t.head, " | "), strings.Repeat("---|", len(t.head)))
	for _, row := range t.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
}
