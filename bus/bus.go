// Package bus carries events between nodes over NATS: one adapter for a server
// inside this process and for those reached by address.
//
// The bus is a hint. It may lose, delay and repeat; whoever listens repairs from
// the database. So nothing here waits for the network on behalf of a caller, and
// what does not fit is dropped and counted. The package knows streams by their
// id and events as bytes; it does not know what an event says, which positions
// exist, or who is connected.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"
)

// ErrLost is returned by calls that need the NATS server while it cannot be
// reached, or does not let this node subscribe.
var ErrLost = errors.New("bus lost")

// Node is the part of a node that uses the bus. Its methods are called from the
// bus' goroutines, Receive from one alone; none may block or call the bus.
type Node interface {
	// Receive takes one event as another node published it, and the trace that it
	// carried, if any. The bytes are the node's to keep.
	Receive(data []byte, trace string) error
	// Announced takes what another node gave to Announce. The bytes are the node's
	// to keep.
	Announced(data []byte)
	// Asked takes a question of another node. Whoever knows the answer gives it to
	// answer, once and at any time, under the terms of Publish; the others leave it.
	Asked(data []byte, answer func([]byte))
	// BusLost says that the bus was lost, or is back with every subscription in
	// force. The first call, before anything else, says that it is lost.
	BusLost(lost bool)
	// CheckNow says that events may have been missed: compare positions.
	CheckNow()
}

// Config says which server to use. The zero value is an embedded one.
type Config struct {
	// URL names external servers (nats://host:4222, several divided by commas:
	// any of them will do). Empty: a server inside this process that listens
	// nowhere.
	URL string
	// Name is what this node is called in the server's list of connections.
	Name string
	// TLS and Credentials are for external servers.
	TLS         TLS
	Credentials Credentials
	// Log takes what an operator should know; nil discards it.
	Log *slog.Logger
}

const (
	// What waits for a goroutine of ours. nats.go drops what the inbox has no
	// room for, which costs a position check; an event is seldom over 2 KB and
	// never over the server's max_payload. The outbox is bounded in bytes too.
	inboxSize   = 4096
	outboxSize  = 8192
	outboxBytes = 16 << 20

	// stopTimeout bounds the last flush.
	stopTimeout = time.Second
	// appealAfter is when a node that may not subscribe connects anew: its
	// permissions may have changed, and a server does not say so.
	appealAfter = 30 * time.Second
	// anewAfter is the wait before a connection that ended is replaced.
	anewAfter = time.Second
)

// Bus is one node's connection to the others. All methods are safe for
// concurrent use, before, during and after Run.
type Bus struct {
	cfg      Config
	security []nats.Option
	log      *slog.Logger
	inbox    chan *nats.Msg
	outbox   chan outgoing
	queued   atomic.Int64 // bytes in outbox
	counts   counts
	// noisy keeps a peer that sends garbage, or a server that refuses one
	// subject after the other, from filling the log.
	noisy   rate.Sometimes
	reasons reasons

	interest  interest
	link      link
	echo      echo
	questions questions

	appealAfter time.Duration // as the constant, but for tests
}

// New returns a Bus that does nothing before Run. Until then subscriptions are
// remembered, and what is published waits in the bounded queue. The error says
// which file of TLS or Credentials is missing or not what it should be.
func New(cfg Config) (*Bus, error) {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	security, err := cfg.security()
	if err != nil {
		return nil, err
	}
	b := &Bus{
		cfg: cfg, security: security, log: log,
		inbox:    make(chan *nats.Msg, inboxSize),
		outbox:   make(chan outgoing, outboxSize),
		noisy:    rate.Sometimes{First: 3, Interval: 10 * time.Second},
		interest: newInterest(), questions: newQuestions(), appealAfter: appealAfter,
	}
	b.echo.init()
	return b, nil
}

// Run connects, moves events until ctx ends, then sends what was published
// before, closes the connection, and stops the embedded server. It returns after
// its last goroutine ended. An external server that cannot be reached, or
// refuses this node, is no error: Run goes on trying, for ever. A Bus runs once.
func (b *Bus) Run(ctx context.Context, node Node) error {
	b.link.begin(node)
	defer b.link.end()
	defer b.interest.end()
	var srv *server.Server
	if b.cfg.URL == "" {
		var err error
		if srv, err = startServer(b.cfg.Name, b.log); err != nil {
			return fmt.Errorf("start embedded nats: %w", err)
		}
		// After the clients: a server that goes first would make them reconnect.
		defer stopServer(srv)
	}
	for {
		if err := b.runSession(ctx, node, srv); err != nil {
			return fmt.Errorf("connect nats: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(anewAfter):
		}
	}
}

// runSession connects and moves events until ctx ends or the connection is
// closed for good, which some errors of a server do. Its own errors are those of
// the settings.
func (b *Bus) runSession(ctx context.Context, node Node, srv *server.Server) error {
	s, err := b.dial(node, srv)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	var loops sync.WaitGroup
	loops.Go(func() { b.receive(done, node) })
	loops.Go(func() { b.send(done, s.conn) })
	loops.Go(func() { b.keepInterest(done, s.conn) })
	loops.Go(func() { b.hearEcho(s) })
	select {
	case <-ctx.Done():
	case <-s.closed:
		b.log.Error("bus connection ended; connecting anew", "error", s.conn.LastError())
		b.link.went()
	}
	close(done)
	loops.Wait()
	b.interest.detach()
	b.lastFlush(s.conn)
	b.echo.forget()
	s.close()
	return nil
}

// lastFlush waits for the server to have what was published. The context is a
// new one: the node's has ended.
func (b *Bus) lastFlush(conn *nats.Conn) {
	if !b.link.isReady() {
		return
	}
	if err := conn.FlushTimeout(stopTimeout); err != nil {
		b.log.Warn("bus stopped before its last events were sent", "error", err)
	}
}
