package main

import (
	"context"
	"time"

	"fechatter/client"
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

// idleRest is how long the connections stay idle before they are weighed: long enough
// for two forced collections of the runtime, and for memory to go back.
const idleRest = 20 * time.Second

// warmUp is how many connections come before the first weighing, so that what is needed
// once does not count as a connection's.
const warmUp = 100

// idle weighs the server before and after it has idle connections.
func idle(ctx context.Context, o options) (any, error) {
	s, err := startServer(ctx, o.program)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.stop() }()
	users, err := setUp(ctx, s.url, o)
	if err != nil {
		return nil, err
	}
	if err := s.restart(ctx); err != nil {
		return nil, err
	}
	if err := connectAll(ctx, s, users, warmUp); err != nil {
		return nil, err
	}
	before, err := s.rss()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := connectAll(ctx, s, users, o.connections); err != nil {
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
func connectAll(ctx context.Context, s *server, users []*user, n int) error {
	return each(ctx, n, func(i int) error {
		conn, err := users[i%len(users)].connect(ctx, s.url, nil, func(client.Frame) {})
		if err != nil {
			return err
		}
		go readUntilClosed(context.WithoutCancel(ctx), conn)
		return nil
	})
}
