package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fechatter/bench/peers"
)

// TestPeersDeliverInOrder: each peer brings what several clients say to everybody, in the order of
// each, or its figures would be of something else.
func TestPeersDeliverInOrder(t *testing.T) {
	for _, name := range peers.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var g errgroup.Group
			g.Go(func() error { return peers.Serve(ctx, name, l) })
			const connections, senders, messages = 6, 3, 60
			tally := newTally(options{fanoutOptions: fanoutOptions{senders: senders}})
			tally.first.Store(1)
			c, err := newRawClient(tally.seen)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			speak := peerSpeaker(name)
			var from []*rawConn
			for i := range connections {
				conn, err := c.dial(ctx, "http://"+l.Addr().String(), http.Header{}, speak.greetings)
				if err != nil {
					t.Fatal(err)
				}
				conn.sender = i + 1
				from = append(from, conn)
			}
			reading, stop := context.WithCancel(ctx)
			read := make(chan error)
			go func() { read <- c.run(reading) }()
			say := func(n int) {
				text := stamp{n, time.Now()}.text(messageBytes + n) // of more than 125 bytes, too
				if err := from[n%senders].write(clientFrame(1, []byte(speak.say(n, text)))); err != nil {
					t.Fatal(err)
				}
			}
			first := 1 // of those that everybody gets: some servers greet before they let in
			for everybody := false; !everybody && ctx.Err() == nil; first++ {
				before := tally.arrived.Load()
				say(first)
				for wait := 0; !everybody && wait < 100; wait++ {
					_ = sleep(ctx, 2*time.Millisecond)
					everybody = tally.arrived.Load() == before+connections
				}
			}
			tally.due = tally.arrived.Load() + connections*messages
			for n := first; n < first+messages; n++ {
				say(n)
			}
			for tally.arrived.Load() < tally.due && ctx.Err() == nil {
				_ = tally.settle(ctx)
			}
			stop()
			if err := <-read; err != nil {
				t.Error(err)
			}
			cancel()
			_ = g.Wait() // a server that was told to end
			if got := tally.arrived.Load(); got != tally.due || tally.disorder != 0 || c.dropped != 0 {
				t.Errorf("%d of %d delivered, %d out of order, %d connections dropped", got, tally.due, tally.disorder, c.dropped)
			}
		})
	}
}

// TestPeersTable: medians over the rounds, ratios of the same round, and marks.
func TestPeersTable(t *testing.T) {
	runs := map[string][]fanoutRun{}
	for round, cpu := range []float64{10, 20, 30} {
		for _, c := range contests() {
			runs[c.name] = append(runs[c.name],
				fanoutRun{Peer: self, Round: round, CPUMicros: cpu, KBPerConn: 4, Deliveries: 10, Delivery: summary{P99: 7}},
				fanoutRun{Peer: "gws", Round: round, CPUMicros: 2 * cpu, KBPerConn: 8, Deliveries: 5, Lost: 5, Delivery: summary{P99: 9}})
		}
	}
	var out strings.Builder
	printPeers(&out, []string{self, "gws"}, runs, options{connections: 3})
	for _, row := range []string{
		"| self | 20.00 ! | 20.00 ! |", "| gws | 40.00 (2.00 ×) ! |", "| gws | 9 | 9 | 9 | 9 | 9 |",
		"| gws | 50 | 50 |", "| gws | 0 | 8.0 (2.00 ×) | 0.0 | 0 |",
	} {
		if !strings.Contains(out.String(), row) {
			t.Errorf("no %q in\n%s", row, out.String())
		}
	}
}
