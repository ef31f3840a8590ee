package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

const (
	// messageBytes is the length of a message: a sentence.
	messageBytes = 100
	// warmUpTime is how long is sent before what counts.
	warmUpTime = time.Second
	// settleTime is how long the last message may take to arrive.
	settleTime = 5 * time.Second
)

// fanoutRun is one server in one round: what it took to bring each message to every
// connection.
type fanoutRun struct {
	Run         string   `json:"run"`
	Round       int      `json:"round"`
	Peer        string   `json:"peer"`
	Connections int      `json:"connections"`
	Senders     int      `json:"senders"`
	Rate        float64  `json:"rate,omitempty"`   // messages a second
	Window      int      `json:"window,omitempty"` // messages under way, instead of a rate
	Cores       int      `json:"cores"`            // that the server may use
	Throughput  float64  `json:"messages_per_second"`
	Deliveries  int      `json:"deliveries"`
	Lost        int      `json:"lost"` // not delivered settleTime after the last was sent
	OutOfOrder  int      `json:"out_of_order"`
	Dropped     int      `json:"dropped_connections"`
	CPUMicros   float64  `json:"cpu_us_per_delivery"` // of the server, user and system
	KBPerConn   float64  `json:"kb_per_connection,omitempty"`
	KernelKB    float64  `json:"kernel_kb_per_connection,omitempty"` // of both ends: they share the machine
	Delivery    summary  `json:"delivery_ms"`
	ReadyMS     float64  `json:"ready_ms"`   // from the start of the process
	ClientCPU   float64  `json:"client_cpu"` // of one processor
	Marks       []string `json:"marks,omitempty"`
}

// fanoutOnce starts one server, weighs idle connections unless o.rest is 0, and measures what
// messages to all of them cost.
func fanoutOnce(ctx context.Context, o options, name string, ours prepared) (run fanoutRun, err error) {
	s, speak, err := startFanout(ctx, o, name, ours)
	if err != nil {
		return run, err
	}
	defer s.kill()
	run = fanoutRun{Run: "fanout", Peer: name, Connections: o.connections, Senders: o.senders, Rate: o.rate, Window: o.window, Cores: o.cores,
		ReadyMS: float64(s.took.Microseconds()) / 1000}
	if o.window > 0 {
		run.Rate = 0
	}
	t := newTally(o)
	c, err := newRawClient(t.seen)
	if err != nil {
		return run, err
	}
	defer c.close()
	senders, before, err := run.connect(ctx, s, c, speak)
	if err != nil {
		return run, err
	}
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	var g errgroup.Group
	g.Go(func() error { return c.run(reading) }) // also while they are idle, to answer heartbeats
	if err = run.weigh(ctx, o.rest, s, before); err == nil && !o.silent {
		err = run.speak(ctx, o, s, t, senders, speak)
	}
	cancel()
	if err := errors.Join(err, g.Wait()); err != nil {
		return run, err
	}
	run.Dropped = c.dropped
	run.finish(t)
	return run, nil
}

// startFanout starts the program or a peer, and returns how its clients speak.
func startFanout(ctx context.Context, o options, name string, ours prepared) (*server, speaker, error) {
	if name != self {
		s, err := startPeer(ctx, name, o.cores)
		return s, peerSpeaker(name), err
	}
	err := onServerCPUs(o.cores, func() error { return ours.server.restart(ctx) })
	return ours.server, ours.speaker(), err
}

// weight is what a server, and the kernel for everybody, hold in memory.
type weight struct{ server, kernel int64 }

func weightOf(s *server) (weight, error) {
	rss, err := s.rss()
	if err != nil {
		return weight{}, err
	}
	kernel, err := kernelMemory()
	return weight{rss, kernel}, err
}

// connect opens all connections. It returns those that send, and what the server weighed when
// it had a tenth of them, which pays for everything needed once.
func (run *fanoutRun) connect(ctx context.Context, s *server, c *rawClient, speak speaker) (senders []*rawConn, before weight, err error) {
	for i := range run.Connections {
		if i == run.Connections/10 {
			if before, err = weightOf(s); err != nil {
				return nil, before, err
			}
		}
		conn, err := c.dial(ctx, s.url, speak.header(i), speak.greetings)
		if err != nil {
			return nil, before, fmt.Errorf("connection %d: %w", i+1, err)
		}
		if i < run.Senders {
			conn.sender = i + 1
			senders = append(senders, conn)
		}
	}
	return senders, before, nil
}

// weigh lets the connections be idle for a while first.
func (run *fanoutRun) weigh(ctx context.Context, rest time.Duration, s *server, before weight) error {
	if rest == 0 {
		return nil
	}
	if err := sleep(ctx, rest); err != nil {
		return err
	}
	after, err := weightOf(s)
	share := float64(run.Connections-run.Connections/10) * 1024
	run.KBPerConn, run.KernelKB = hundredths(float64(after.server-before.server)/share), hundredths(float64(after.kernel-before.kernel)/share)
	return err
}

// speak sends for the duration, after a warm-up, and measures what server and client spend from the
// first message that counts until the last has arrived.
func (run *fanoutRun) speak(ctx context.Context, o options, s *server, t *tally, senders []*rawConn, speak speaker) error {
	p := newPace(o, t)
	var server, client time.Duration
	var began time.Time
	n, first := 1, 0
	for ; ; n++ {
		if err := p.next(ctx, n); err != nil {
			return err
		}
		if p.over() {
			break
		}
		if first == 0 && p.warm() {
			first = n
			t.first.Store(int64(n))
			server, client, began = s.cpu(), ownCPU(), time.Now()
		}
		text := stamp{n, time.Now()}.text(messageBytes)
		if err := senders[n%len(senders)].write(clientFrame(1, []byte(speak.say(n, text)))); err != nil {
			return err
		}
	}
	sent := n - first
	run.Throughput = hundredths(float64(sent) / time.Since(began).Seconds())
	t.due = int64(sent * run.Connections)
	if err := t.settle(ctx); err != nil {
		return err
	}
	run.CPUMicros = hundredths(float64((s.cpu() - server).Microseconds()) / float64(max(1, t.arrived.Load())))
	run.ClientCPU = hundredths(float64(ownCPU()-client) / float64(time.Since(began)))
	return nil
}

func (run *fanoutRun) finish(t *tally) {
	run.Deliveries, run.OutOfOrder, run.Lost = len(t.delivered), t.disorder, int(t.due)-len(t.delivered)
	run.Delivery = summarize(t.delivered)
	const saturated = 0.85
	for _, m := range []struct {
		mark string
		is   bool
	}{{"lost", run.Lost != 0}, {"out of order", run.OutOfOrder != 0}, {"dropped connections", run.Dropped != 0}, {"saturated client", run.ClientCPU > saturated}} {
		if m.is {
			run.Marks = append(run.Marks, m.mark)
		}
	}
}

// ownCPU is what this process has spent.
func ownCPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sleep waits, at most until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
