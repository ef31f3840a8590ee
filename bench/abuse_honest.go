package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"fechatter/client"
)

// forwarded is a transport by which requests come from an address, as a proxy on this
// machine tells it.
type forwarded struct {
	http.RoundTripper
	address string
}

func (f forwarded) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("X-Forwarded-For", f.address)
	return f.RoundTripper.RoundTrip(req)
}

// from returns a client that comes from an address, over the connections that a proxy keeps.
func (a *arena) from(address string) *http.Client {
	return &http.Client{Transport: forwarded{a.proxy, address}, Timeout: 30 * time.Second}
}

// honestResult is what honest people felt in a while.
type honestResult struct {
	Sends   int     `json:"sends"`
	Refused int     `json:"refused"`
	Lost    int     `json:"lost"` // deliveries that did not come
	Ack     summary `json:"ack_ms"`
	LogIn   summary `json:"log_in_ms"`
	Failed  int     `json:"log_ins_failed"`
}

// honest is people who chat and log in.
type honest struct {
	users     []*user
	members   []member
	load      *loadRun
	readers   sync.WaitGroup
	connected atomic.Int64
}

// gather has the users make chats and connect.
func gather(ctx context.Context, url string, users []*user, o options) (*honest, error) {
	h := &honest{users: users, load: &loadRun{sent: map[string]sent{}}}
	if err := teamUp(ctx, users, o); err != nil {
		return nil, err
	}
	var err error
	if h.members, err = join(ctx, &cluster{nodes: []*server{{url: url}}}, users, o.connections); err != nil {
		return nil, err
	}
	for _, m := range h.members {
		h.connected.Add(1)
		h.readers.Go(func() {
			h.load.read(ctx, m.conn)
			h.connected.Add(-1)
		})
	}
	return h, nil
}

// live has the people chat and log in for a while.
func (h *honest) live(ctx context.Context, d time.Duration, rate float64) (honestResult, error) {
	logins := make(chan honestResult, 1)
	until, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	go func() { logins <- h.logIn(until) }()
	unsent, err := h.chat(ctx, until, rate)
	r := <-logins
	if err != nil {
		return r, err
	}
	h.load.await(ctx)
	h.load.mu.Lock()
	defer h.load.mu.Unlock()
	r.Sends, r.Refused, r.Ack = len(h.load.acks), h.load.refused+unsent, summarize(h.load.acks)
	r.Lost = h.load.due - len(h.load.delivered)
	h.load.sent, h.load.acks, h.load.delivered, h.load.due, h.load.refused = map[string]sent{}, nil, nil, 0, 0
	return r, ctx.Err()
}

// chat sends at the rate, whether or not answers come, and returns how many sends found
// their connection closed.
func (h *honest) chat(ctx, until context.Context, rate float64) (unsent int, err error) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-until.Done():
			return unsent, ctx.Err()
		case <-tick.C:
		}
		m, key := h.members[i%len(h.members)], client.NewKey()
		h.load.expect(key, m.user.team.connections)
		if err := m.conn.Write(ctx, key, "message.send", message{m.user.team.chats[0], key, usual}); err != nil {
			h.load.forget(key)
			unsent++
		}
	}
}

// logIn logs in twice a second, over new connections, the people in turn.
func (h *honest) logIn(ctx context.Context) (r honestResult) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	anyNew := &http.Transport{DisableKeepAlives: true}
	var times []time.Duration
	for i := 0; ; i++ {
		u := h.users[i%len(h.users)]
		via, _ := u.HTTP.Transport.(forwarded)
		anew := client.Client{URL: u.URL, HTTP: &http.Client{Transport: forwarded{anyNew, via.address}}}
		started := time.Now()
		_, err := anew.LogIn(ctx, u.name, password)
		switch {
		case ctx.Err() != nil:
			r.LogIn = summarize(times)
			return r
		case err != nil:
			r.Failed++
		default:
			times = append(times, time.Since(started))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (h *honest) close() {
	for _, m := range h.members {
		_ = m.conn.CloseNow()
	}
	h.readers.Wait()
}

// comeBackWithin is how long a node may take to notice that a flood has gone.
const comeBackWithin = time.Minute

// resumeBytes is how much the server says to somebody who comes without cursors. While the node
// is full of what a flood has left, they come again, as clients do.
func (u *user) resumeBytes(ctx context.Context) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, comeBackWithin)
	defer cancel()
	for {
		n = 0
		conn, err := u.connect(ctx, u.URL, nil, func(f client.Frame) { n += int64(len(f.Raw)) })
		if err == nil {
			return n, conn.CloseNow()
		}
		full, ok := errors.AsType[*client.Problem](err)
		if !ok || full.Code != "overloaded" {
			return 0, fmt.Errorf("resume: %w", err)
		}
		select {
		case <-time.After(time.Duration(full.RetryAfterMS) * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("resume: %w", err)
		}
	}
}

// machineLoad is how many threads wanted a processor on average over the last minute;
// 0 where that is not known.
func machineLoad() (load float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, _ = fmt.Sscan(string(text), &load) // stays 0
	}
	return load
}
