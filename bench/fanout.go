package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"fechatter/bench/peers"
)

// self is the program's own name among the peers.
const self = "self"

// fanoutRun is one server in one round: what it took to give each message to
// every connection.
type fanoutRun struct {
	Run         string   `json:"run"`
	Round       int      `json:"round"`
	Peer        string   `json:"peer"`
	Connections int      `json:"connections"`
	Rate        float64  `json:"rate"`
	Deliveries  int      `json:"deliveries"`
	Lost        int      `json:"lost"`
	OutOfOrder  int      `json:"out_of_order"`
	CPUMicros   float64  `json:"cpu_us_per_delivery"` // of the server, user and system
	KBPerConn   float64  `json:"kb_per_connection"`
	Delivery    summary  `json:"delivery_ms"`
	ClientCPU   float64  `json:"client_cpu"` // of one processor
	Marks       []string `json:"marks,omitempty"`
}

// fanout measures the program and its peers in turns, each in a fresh process, and
// prints a line for each run; the result says how the peers compare.
func fanout(ctx context.Context, o options) (any, error) {
	names := strings.Split(o.peers, ",")
	for _, name := range names {
		if name != self && !slices.Contains(peers.Names(), name) {
			return nil, fmt.Errorf("%s is not self, %s", name, strings.Join(peers.Names(), ", "))
		}
	}
	pinned, err := pinSelf()
	if err != nil {
		return nil, err
	}
	if !pinned {
		fmt.Fprintln(os.Stderr, "bench: server and client share one processor")
	}
	ours, err := prepareSelf(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = ours.server.stop() }()
	var runs []fanoutRun
	for round := range o.rounds {
		for i := range names {
			name := names[(i+round)%len(names)] // nobody is always the first
			run, err := fanoutOnce(ctx, o, name, ours)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			run.Round = round + 1
			runs = append(runs, run)
			if err := json.NewEncoder(os.Stdout).Encode(run); err != nil {
				return nil, err
			}
		}
	}
	return compare(names, runs), nil
}
