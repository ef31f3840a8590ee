package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// loadResult is one run of load. Times are milliseconds, as a client sees them.
type loadResult struct {
	Run         string  `json:"run"`
	Connections int     `json:"connections"`
	Rate        float64 `json:"rate"`
	Sends       int     `json:"sends"`
	Refused     int     `json:"refused"`
	Deliveries  int     `json:"deliveries"`
	Lost        int     `json:"lost"`
	OutOfOrder  int     `json:"out_of_order"`
	Ack         summary `json:"ack_ms"`
	Delivery    summary `json:"delivery_ms"`
}

type summary struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func summarize(times []time.Duration) summary {
	if len(times) == 0 {
		return summary{}
	}
	slices.Sort(times)
	at := func(q float64) float64 {
		return float64(times[int(q*float64(len(times)-1))].Microseconds()) / 1000
	}
	return summary{P50: at(0.5), P99: at(0.99), Max: at(1)}
}

// loadRun counts what one run sees.
type loadRun struct {
	mu        sync.Mutex
	sent      map[string]time.Time
	acks      []time.Duration
	delivered []time.Duration
	refused   int
	disorder  int
}

func load(ctx context.Context, o options) (any, error) {
	s, err := startServer(ctx, o.program)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.stop() }()
	users, chats, err := setUp(ctx, s, o.users, o.chats)
	if err != nil {
		return nil, err
	}
	r := &loadRun{sent: map[string]time.Time{}}
	var (
		conns   []*websocket.Conn
		readers sync.WaitGroup
	)
	for i := range o.connections {
		ws, err := users[i%len(users)].connect(ctx)
		if err != nil {
			return nil, err
		}
		conns = append(conns, ws)
		readers.Go(func() { r.read(ctx, ws) })
	}
	if err := r.send(ctx, o, conns, chats); err != nil {
		return nil, err
	}
	r.settle(ctx, o)
	for _, ws := range conns {
		_ = ws.CloseNow()
	}
	readers.Wait()
	sends := len(r.acks)
	return loadResult{Run: "load", Connections: o.connections, Rate: o.rate, Sends: sends, Refused: r.refused,
		Deliveries: len(r.delivered), Lost: sends*o.connections - len(r.delivered), OutOfOrder: r.disorder,
		Ack: summarize(r.acks), Delivery: summarize(r.delivered)}, nil
}

// send spreads the sends evenly over time, connections and chats. Its clock does
// not wait for answers, so that a slow server shows.
func (r *loadRun) send(ctx context.Context, o options, conns []*websocket.Conn, chats []string) error {
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
	defer tick.Stop()
	end := time.After(o.duration)
	for i := 0; ; i++ {
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		key := fmt.Sprintf("k%d", i)
		b, err := json.Marshal(map[string]any{"id": key, "op": "message.send", "d": map[string]any{
			"chat_id": chats[i%len(chats)], "key": key, "body": "a message of about the usual length, as people write it at work"}})
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.sent[key] = time.Now()
		r.mu.Unlock()
		if err := conns[i%len(conns)].Write(ctx, websocket.MessageText, b); err != nil {
			return err
		}
	}
}

// settle waits until everything was delivered, at most 5 seconds.
func (r *loadRun) settle(ctx context.Context, o options) {
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r.mu.Lock()
		done := len(r.acks)+r.refused == len(r.sent) && len(r.delivered) == len(r.acks)*o.connections
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (r *loadRun) read(ctx context.Context, ws *websocket.Conn) {
	last := map[string]int64{}
	for {
		f, err := read(ctx, ws)
		if err != nil {
			return
		}
		now := time.Now()
		r.mu.Lock()
		switch f.Op {
		case "ok":
			r.acks = append(r.acks, now.Sub(r.sent[f.Re]))
		case "error":
			r.refused++
		case "message.created":
			r.delivered = append(r.delivered, now.Sub(r.sent[f.D.Key]))
			if l := last[f.ChatID]; l != 0 && f.Seq != l+1 {
				r.disorder++
			}
			last[f.ChatID] = f.Seq
		}
		r.mu.Unlock()
	}
}
