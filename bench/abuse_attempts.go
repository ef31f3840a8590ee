package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fechatter/client"
)

// attempts counts what an attacker tries. Its methods may be called concurrently.
type attempts struct {
	every time.Duration // between two attempts

	mu      sync.Mutex
	next    time.Time
	tried   int
	refused map[string]int
}

// work has n workers try again and again until ctx ends. try gets a number that no other
// attempt has.
func (t *attempts) work(ctx context.Context, n int, try func(ctx context.Context, i int) error) {
	var workers sync.WaitGroup
	for range n {
		workers.Go(func() {
			for {
				i, err := t.turn(ctx)
				if err != nil {
					return
				}
				t.note(ctx, try(ctx, i))
			}
		})
	}
	workers.Wait()
}

// turn waits for the time of the next attempt and counts it.
func (t *attempts) turn(ctx context.Context) (int, error) {
	t.mu.Lock()
	now := time.Now()
	if t.next.Before(now) {
		t.next = now
	}
	wait := t.next.Sub(now)
	t.next = t.next.Add(t.every)
	t.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tried++
	return t.tried - 1, ctx.Err()
}

// note counts a refusal. What fails because the flood is over is none.
func (t *attempts) note(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[refusalOf(err)]++
}

// refusalOf names how the server refused.
func refusalOf(err error) string {
	if p, ok := errors.AsType[*client.Problem](err); ok {
		return fmt.Sprintf("%d %s", p.Status, strings.TrimPrefix(p.Code, fmt.Sprintf("%d ", p.Status)))
	}
	if c, ok := errors.AsType[closed](err); ok {
		return fmt.Sprintf("close %d", int(c))
	}
	if code := client.CloseCode(err); code > 0 {
		return fmt.Sprintf("close %d", code)
	}
	return "cut off"
}

// closed is the code with which the server closed a WebSocket.
type closed int

func (c closed) Error() string { return fmt.Sprintf("closed with %d", int(c)) }

const tableHead = `| flood | tried | refused | ack p50 / p99 alone | during | log-in p99 alone | during | victim's resume | live | server |
|---|---|---|---|---|---|---|---|---|---|`

// row is a line of the table.
func (r floodResult) row(honest int) string {
	var refused []string
	for _, code := range slices.SortedFunc(maps.Keys(r.Refused), func(a, b string) int { return cmp.Compare(r.Refused[b], r.Refused[a]) }) {
		refused = append(refused, fmt.Sprintf("%d × %s", r.Refused[code], code))
	}
	logIn := fmt.Sprintf("%.0f ms", r.During.LogIn.P99)
	if r.During.Failed > 0 {
		logIn += fmt.Sprintf(", %d failed", r.During.Failed)
	}
	return fmt.Sprintf("| %s | %d | %s | %.1f / %.1f ms | %.1f / %.1f ms (%.1f times) | %.0f ms | %s | %.1f → %.1f KB | %d of %d | %.2f |",
		r.Flood, r.Tried, cmp.Or(strings.Join(refused, ", "), "none"), r.Alone.Ack.P50, r.Alone.Ack.P99, r.During.Ack.P50, r.During.Ack.P99, r.Ratio,
		r.Alone.LogIn.P99, logIn, float64(r.Resume[0])/1024, float64(r.Resume[1])/1024, r.Live, honest, r.CPU)
}
