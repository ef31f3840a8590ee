package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// messageBytes is how long a message is: a sentence.
const messageBytes = 100

// tally is what the clients of one run see.
type tally struct {
	first     int // the number of the first message that counts
	delivered []time.Duration
	disorder  int
}

func (t *tally) seen(s stamp, now time.Time, c *rawConn) {
	if c.last != 0 && s.number != c.last+1 {
		t.disorder++
	}
	c.last = s.number
	if s.number >= t.first {
		t.delivered = append(t.delivered, now.Sub(s.sent))
	}
}

// fanoutOnce starts one server, weighs idle connections, and measures what
// messages to all of them take.
func fanoutOnce(ctx context.Context, o options, name string, ours prepared) (run fanoutRun, err error) {
	var s *server
	speak := peerSpeaker(name)
	if name == self {
		s, speak = ours.server, ours.speaker()
		err = onServerCPU(func() error { return s.restart(ctx) })
	} else {
		s, err = startPeer(ctx, name)
	}
	if err != nil {
		return run, err
	}
	defer s.kill()
	run = fanoutRun{Run: "fanout", Peer: name, Connections: o.connections, Rate: o.rate}
	t := &tally{first: o.warmUps() + 1, delivered: make([]time.Duration, 0, o.connections*int(o.rate*o.duration.Seconds()+1))}
	c, err := newRawClient(t.seen)
	if err != nil {
		return run, err
	}
	defer c.close()
	first, before, err := run.connect(ctx, s, c, speak)
	if err != nil {
		return run, err
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return c.run(reading) }) // also while they are idle: heartbeats are answered
	if err = run.weigh(ctx, s, before); err == nil {
		err = run.speak(ctx, o, s, first, speak)
	}
	stop()
	if err := errors.Join(err, g.Wait()); err != nil {
		return run, err
	}
	run.finish(o, t)
	return run, nil
}

// warmUps is how many messages are sent before the first that counts.
func (o options) warmUps() int { return max(1, int(o.rate)) }

// connect opens all connections. It gives the first, and what the server weighed
// when it had a tenth of them, which pays for what is needed once.
func (run *fanoutRun) connect(ctx context.Context, s *server, c *rawClient, speak speaker) (first *rawConn, before int64, err error) {
	for i := range run.Connections {
		if i == run.Connections/10 {
			if before, err = s.rss(); err != nil {
				return nil, 0, err
			}
		}
		conn, err := c.dial(ctx, s.url, speak.header(i), speak.greetings)
		if err != nil {
			return nil, 0, fmt.Errorf("connection %d: %w", i+1, err)
		}
		if i == 0 {
			first = conn
		}
	}
	return first, before, nil
}

// weigh lets the connections be idle for a while first.
func (run *fanoutRun) weigh(ctx context.Context, s *server, before int64) error {
	select {
	case <-time.After(idleRest):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := s.rss()
	run.KBPerConn = hundredths(float64(after-before) / 1024 / float64(run.Connections-run.Connections/10))
	return err
}

// speak sends the messages, evenly over time, and measures what server and client
// spend from the first that counts until the last has arrived.
func (run *fanoutRun) speak(ctx context.Context, o options, s *server, conn *rawConn, speak speaker) error {
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
	defer tick.Stop()
	var server, client time.Duration
	var began time.Time
	last := o.warmUps() + int(o.rate*o.duration.Seconds())
	for n := 1; n <= last; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if n == o.warmUps()+1 {
			server, client, began = s.cpu(), ownCPU(), time.Now()
		}
		text := stamp{n, time.Now()}.text(messageBytes)
		if err := conn.write(clientFrame(1, []byte(speak.say(n, text)))); err != nil {
			return err
		}
	}
	select {
	case <-time.After(time.Second): // for the last to arrive
	case <-ctx.Done():
		return ctx.Err()
	}
	sent := last - o.warmUps()
	run.CPUMicros = hundredths(float64((s.cpu() - server).Microseconds()) / float64(sent*run.Connections))
	run.ClientCPU = hundredths(float64(ownCPU()-client) / float64(time.Since(began)))
	return nil
}

func (run *fanoutRun) finish(o options, t *tally) {
	due := int(o.rate*o.duration.Seconds()) * o.connections
	run.Deliveries, run.OutOfOrder, run.Lost = len(t.delivered), t.disorder, due-len(t.delivered)
	run.Delivery = summarize(t.delivered)
	const saturated = 0.85
	for mark, is := range map[string]bool{"lost": run.Lost != 0, "out of order": run.OutOfOrder != 0, "saturated client": run.ClientCPU > saturated} {
		if is {
			run.Marks = append(run.Marks, mark)
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
