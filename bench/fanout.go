package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"fechatter/bench/peers"
)

// self is the program's own name among the peers.
const self = "self"

// fanoutOptions are the flags of fanout and peers.
type fanoutOptions struct {
	peers   string
	rounds  int
	senders int
	window  int
	cores   int
	rest    time.Duration
	idle    int
	silent  bool // nothing is said: idle connections are all
}

func (o *fanoutOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.peers, "peers", "self,"+strings.Join(peers.Names(), ","), "the servers that fanout and peers measure")
	f.IntVar(&o.rounds, "rounds", o.rounds, "how often each server is measured")
	f.IntVar(&o.senders, "senders", 1, "connections of fanout that send, in turn")
	f.IntVar(&o.window, "window", 0, "messages that fanout keeps under way, instead of a rate")
	f.IntVar(&o.idle, "idle", 0, "idle connections that peers weighs; 0: as many as -connections")
	f.IntVar(&o.cores, "cores", 1, "processors that a server of fanout and peers may use")
	f.DurationVar(&o.rest, "rest", o.rest, "how long idle connections rest before they are weighed; 0: they are not")
}

// fanout measures the program and its peers in turn, each in a fresh process, and prints
// a line for each run; the result compares the peers.
func fanout(ctx context.Context, o options) (any, error) {
	m, err := newMatch(ctx, o, os.Stdout)
	if err != nil {
		return nil, err
	}
	defer m.close()
	var runs []fanoutRun
	for round := range o.rounds {
		some, err := m.round(ctx, o, round)
		if err != nil {
			return nil, err
		}
		runs = append(runs, some...)
	}
	return compare(m.names, runs), nil
}

// match is the program and its peers, and where the lines of their runs go.
type match struct {
	names []string
	ours  prepared
	lines *json.Encoder
}

func newMatch(ctx context.Context, o options, lines io.Writer) (*match, error) {
	m := &match{names: strings.Split(o.peers, ","), lines: json.NewEncoder(lines)}
	for _, name := range m.names {
		if name != self && !slices.Contains(peers.Names(), name) {
			return nil, fmt.Errorf("%s is not self, %s", name, strings.Join(peers.Names(), ", "))
		}
	}
	if o.senders < 1 || o.senders > o.connections || o.rate <= 0 {
		return nil, fmt.Errorf("%d senders of %d connections at %g messages a second: there must be some of each", o.senders, o.connections, o.rate)
	}
	apart, err := pinSelf(o.cores)
	if err != nil {
		return nil, err
	}
	if !apart {
		fmt.Fprintln(os.Stderr, "bench: server and client share a processor")
	}
	m.ours, err = prepareSelf(ctx, o)
	return m, err
}

func (m *match) close() { _ = m.ours.server.stop() }

// round measures each server once. No server is always the first.
func (m *match) round(ctx context.Context, o options, round int) (runs []fanoutRun, err error) {
	for i := range m.names {
		name := m.names[(i+round)%len(m.names)]
		run, err := fanoutOnce(ctx, o, name, m.ours)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		run.Round = round + 1
		runs = append(runs, run)
		if err := m.lines.Encode(run); err != nil {
			return nil, err
		}
	}
	return runs, nil
}
