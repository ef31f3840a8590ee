// Package bus carries events between nodes over NATS: one adapter for a server
// inside this process and for one reached by address.
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

	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"
)

// ErrLost is returned by calls that need the NATS server while it cannot be
// reached.
var ErrLost = errors.New("bus lost")

// Node is the part of a node that uses the bus. Its methods are called from the
// bus' goroutines, Receive from one alone; none may block for long.
type Node interface {
	// Receive takes one event as another node published it. The bytes are the
	// node's to keep.
	Receive(data []byte) error
	// BusLost says that the bus was lost, or is back.
	BusLost(lost bool)
	// CheckNow says that events may have been missed: compare positions.
	CheckNow()
}

// Config says which server to use. The zero value is an embedded one.
type Config struct {
	// URL names external servers (nats://host:4222, several divided by commas).
	// Empty: a server inside this process that listens nowhere.
	URL string
	// Name is what this node is called in the server's list of connections.
	Name string
	// Log takes what an operator should know; nil discards it.
	Log *slog.Logger
}

const (
	// What waits for a goroutine of ours. An event is seldom over 2 KB, so
	// both are some 16 MB at worst in practice; outboxBytes bounds the rest.
	inboxSize   = 8192
	outboxSize  = 8192
	outboxBytes = 16 << 20

	// stopTimeout bounds the last flush.
	stopTimeout = time.Second
)

// Bus is one node's connection to the others. All methods are safe for
// concurrent use, before, during and after Run.
type Bus struct {
	cfg    Config
	log    *slog.Logger
	inbox  chan *nats.Msg
	outbox chan outgoing
	queued atomic.Int64 // bytes in outbox
	counts counts
	// noisy keeps a peer that sends garbage, or a server that refuses us twice
	// a second, from filling the log.
	noisy rate.Sometimes

	mu   sync.Mutex
	conn *nats.Conn                    // nil unless running
	subs map[string]*nats.Subscription // by stream; nil value: wanted, not yet asked for

	echo echo
}

// New returns a Bus that does nothing before Run. Until then subscriptions are
// remembered, and what is published waits in the bounded queue.
func New(cfg Config) *Bus {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Bus{
		cfg: cfg, log: log,
		inbox:  make(chan *nats.Msg, inboxSize),
		outbox: make(chan outgoing, outboxSize),
		noisy:  rate.Sometimes{First: 3, Interval: 10 * time.Second},
		subs:   map[string]*nats.Subscription{},
		echo:   newEcho(),
	}
}

// Run connects, moves events until ctx ends, then sends what was published
// before, closes the connection, and stops the embedded server. It returns after
// its last goroutine ended. An external server that cannot be reached is no
// error: Run goes on trying. A Bus runs once.
func (b *Bus) Run(ctx context.Context, node Node) error {
	s, err := b.dial(node)
	if err != nil {
		return fmt.Errorf("start bus: %w", err)
	}
	defer s.close()
	if err := b.adopt(s); err != nil {
		return fmt.Errorf("start bus: %w", err)
	}
	b.report(s.conn, node)

	done := make(chan struct{})
	var loops sync.WaitGroup
	loops.Go(func() { b.receive(done, node) })
	loops.Go(func() { b.send(done, s.conn) })
	<-ctx.Done()
	close(done)
	loops.Wait()
	b.abandon()
	b.lastFlush(s.conn)
	return nil
}

// adopt makes s the connection of all further calls and subscribes what was
// asked for before.
func (b *Bus) adopt(s *session) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for stream := range b.subs {
		sub, err := s.conn.ChanSubscribe(subject(stream), b.inbox)
		if err != nil {
			return fmt.Errorf("subscribe %s: %w", stream, err)
		}
		b.subs[stream] = sub
	}
	b.conn = s.conn
	return b.echo.listen(s.probe)
}

func (b *Bus) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conn = nil
	clear(b.subs)
}

// lastFlush waits for the server to have what was published. The context is a
// new one: the node's has ended.
func (b *Bus) lastFlush(conn *nats.Conn) {
	if !conn.IsConnected() {
		return
	}
	if err := conn.FlushTimeout(stopTimeout); err != nil {
		b.log.Warn("bus stopped before its last events were sent", "error", err)
	}
}

func (b *Bus) receive(done <-chan struct{}, node Node) {
	for {
		select {
		case <-done:
			return
		case m := <-b.inbox:
			b.counts.received.Add(1)
			if err := node.Receive(m.Data); err != nil {
				b.counts.refused.Add(1)
				b.noisy.Do(func() { b.log.Warn("event from the bus refused", "subject", m.Subject, "error", err) })
			}
		}
	}
}
