package main

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

// tally is what the clients of one run see. Message n comes from sender n % senders.
type tally struct {
	senders   int
	first     atomic.Int64 // the number of the first message that counts
	arrived   atomic.Int64 // of those that count
	due       int64        // set once all are sent
	back      chan struct{}
	delivered []time.Duration
	disorder  int
}

// newTally returns a tally for a run.
func newTally(o options) *tally {
	t := &tally{senders: o.senders, back: make(chan struct{}, max(1, o.window))}
	t.first.Store(math.MaxInt64)
	return t
}

// seen notes a delivery. The messages of each sender must come in their order.
func (t *tally) seen(s stamp, now time.Time, c *rawConn) {
	if c.last == nil {
		c.last = make([]int, t.senders)
	}
	from := s.number % t.senders
	if last := c.last[from]; last != 0 && s.number != last+t.senders {
		t.disorder++
	}
	c.last[from] = s.number
	if c.sender == from+1 {
		select {
		case t.back <- struct{}{}: // its sender has it back
		default: // nobody counts those
		}
	}
	if int64(s.number) >= t.first.Load() {
		t.delivered = append(t.delivered, now.Sub(s.sent))
		t.arrived.Add(1)
	}
}

// settle waits until everything has arrived, for settleTime at most.
func (t *tally) settle(ctx context.Context) error {
	end := time.Now().Add(settleTime)
	for t.arrived.Load() < t.due && time.Now().Before(end) {
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// pace decides when the next message is sent: evenly over time, or as soon as fewer than window are
// under way. It does not skip what a slow server has kept it from sending.
type pace struct {
	began    time.Time
	duration time.Duration
	interval time.Duration
	window   int
	back     <-chan struct{}
}

func newPace(o options, t *tally) pace {
	return pace{began: time.Now(), duration: o.duration, interval: time.Duration(float64(time.Second) / o.rate), window: o.window, back: t.back}
}

// next waits for the turn of message n.
func (p pace) next(ctx context.Context, n int) error {
	if p.window == 0 {
		return sleep(ctx, time.Until(p.began.Add(time.Duration(n)*p.interval)))
	}
	if n <= p.window {
		return ctx.Err()
	}
	select {
	case <-p.back:
	case <-time.After(time.Until(p.end())):
	case <-ctx.Done():
	}
	return ctx.Err()
}

func (p pace) end() time.Time { return p.began.Add(warmUpTime + p.duration) }
func (p pace) over() bool     { return !time.Now().Before(p.end()) }
func (p pace) warm() bool     { return time.Since(p.began) >= warmUpTime }
