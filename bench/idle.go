package main

import (
	"context"
	"sync"
	"time"
)

// idleResult is one run of idle.
type idleResult struct {
	Run           string  `json:"run"`
	Connections   int     `json:"connections"`
	ChatsPerUser  int     `json:"chats_per_user"`
	BytesBefore   int64   `json:"rss_before"`
	BytesAfter    int64   `json:"rss_after"`
	KBPerConn     float64 `json:"kb_per_connection"`
	ConnectSecond float64 `json:"connects_per_second"`
}

// idleRest is how long the connections stay idle before they are weighed: more
// than two collections of the runtime's forced cycle and its return of memory.
const idleRest = 20 * time.Second

// warmUp is how many connections are made before the first weighing, so that
// what is needed once is not taken for a connection's.
const warmUp = 100

// dialers is how many connections are made at once.
const dialers = 16

// idle weighs the server before and after it has connections that do nothing.
func idle(ctx context.Context, o options) (any, error) {
	s, err := startServer(ctx, o.program)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.stop() }()
	users, _, err := setUp(ctx, s, o.users, o.chats)
	if err != nil {
		return nil, err
	}
	if err := s.restart(ctx); err != nil {
		return nil, err
	}
	if err := connectAll(ctx, users, warmUp); err != nil {
		return nil, err
	}
	before, err := s.rss()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := connectAll(ctx, users, o.connections); err != nil {
		return nil, err
	}
	took := time.Since(started)
	select {
	case <-time.After(idleRest):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	after, err := s.rss()
	if err != nil {
		return nil, err
	}
	return idleResult{Run: "idle", Connections: o.connections, ChatsPerUser: o.chats, BytesBefore: before, BytesAfter: after,
		KBPerConn:     float64(after-before) / 1024 / float64(o.connections),
		ConnectSecond: float64(o.connections) / took.Seconds()}, nil
}

// connectAll opens the connections and keeps each read until the process ends.
func connectAll(ctx context.Context, users []*user, n int) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		next  = make(chan int)
	)
	for range dialers {
		wg.Go(func() {
			for i := range next {
				ws, err := users[i%len(users)].connect(ctx)
				if err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					continue
				}
				go func() {
					for {
						if _, err := read(ctx, ws); err != nil {
							return
						}
					}
				}()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return first
}
