package main

import (
	"math"
	"testing"
)

// TestModel: the model adds up, and its formulas agree with counting.
func TestModel(t *testing.T) {
	c := costs{BaseMB: 1024, ConnectionKB: 10, Send: 100, Delivery: 10, Event: 50, PGSend: 200, NATSEvent: 20, EventBytes: 1 << 10}
	w := workload{SendsPerHour: 36, Audience: 20, Chats: 10}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6*math.Abs(want) {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	one := predictOn(c, w, 1000, 1) // 10 sends a second, 200 deliveries, nobody to tell
	near("cores of one node", one.NodeCores, 10*100e-6+200*10e-6)
	near("cores of PostgreSQL", one.PGCores, 10*200e-6)
	near("events of one node", one.Events, 0)
	near("chats open", one.Streams, 1000*10/20)
	near("GB", one.NodeGB, 1+1000*10.0/(1<<20))
	many := predictOn(c, w, 1000, 1e6) // each connection is on a node of its own
	if many.Events < 10*18.9 || many.Events > 10*19 {
		t.Errorf("%g events, want almost 19 for each send", many.Events)
	}
	two := predictOn(c, workload{SendsPerHour: 36, Audience: 2}, 1000, 2)
	near("events of two nodes, two in a chat", two.Events, 10*0.5)
}

// TestPredict: as many nodes as one of the limits demands, and two at least.
func TestPredict(t *testing.T) {
	w := workload{SendsPerHour: 3600, Audience: 1}
	for name, s := range map[string]struct {
		c     costs
		nodes float64
	}{
		"nothing":    {costs{}, 2},
		"processors": {costs{Send: 1000}, 25}, // 100 cores, 4 of each node
		"memory":     {costs{BaseMB: 4096, ConnectionKB: 1024}, 25},
		"coming back": { // 100,000 / n seconds of work for (n - 1) × 80 of the others
			costs{Resume: 1e6}, 36},
	} {
		if p := predict(s.c, w, machine{Cores: 8, GB: 16, Busy: 0.5, Back: 20}, 100_000); p.Nodes != s.nodes {
			t.Errorf("%s: %g nodes, want %g", name, p.Nodes, s.nodes)
		}
	}
}
