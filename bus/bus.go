// Package bus carries events between nodes over NATS: one adapter for a server
// inside this process and for external servers.
//
// What the bus carries are hints: it may lose, delay and repeat them, and the
// receiver repairs from the database. So nothing here makes a caller wait for the
// network, and what does not fit is dropped and counted.
//
// Everything is signed with a key that all nodes read from their database, or encrypted
// (seal.go), and what is not sound is dropped and counted: whoever reaches the server,
// but not the database, can make nobody believe anything.
//
// The package knows streams by their ids and events as bytes; it does not know what an
// event contains, which positions exist, who is connected, or where keys are kept.
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

	"fechatter/security"
)

// ErrLost is returned by calls that need the NATS server while it is unreachable
// or refuses this node's subscriptions.
var ErrLost = errors.New("bus lost")

// Node is the part of a node that uses the bus. Its methods are called on the
// bus's goroutines, Receive on only one of them; none may block or call the bus.
type Node interface {
	// Receive handles one event as another node published it to a stream, with the
	// trace that it carried, if any. The node may keep data.
	Receive(stream string, data []byte, trace string) error
	// Hinted handles an event without a signature (Keyring.Unsigned). Nothing of it
	// may be used but that the stream may have reached its number.
	Hinted(stream string, data []byte) error
	// Announced handles what another node passed to Announce. The node may keep
	// data.
	Announced(data []byte)
	// Asked handles a question of another node. A node that knows the answer calls
	// answer with it, once and at any time, on the terms of Publish; others do
	// nothing.
	Asked(data []byte, answer func([]byte))
	// BusLost reports that the bus was lost, or is back with every subscription in
	// force. The first call of all reports a loss.
	BusLost(lost bool)
	// CheckNow reports that events may have been missed: compare positions.
	CheckNow()
}

// Config selects a server. The zero value is an embedded one.
type Config struct {
	// URL names external servers (nats://host:4222, or several separated by
	// commas, any of which will do). Empty means a server inside this process that
	// listens nowhere.
	URL string
	// Name is this node's name in the server's list of connections.
	Name string
	// TLS and Credentials are for external servers.
	TLS         TLS
	Credentials Credentials
	// Keyring is valid at the start, and ReadKeys reads it again: every KeysEvery, and
	// soon after a message that it does not fit. Without ReadKeys it stays.
	Keyring  Keyring
	ReadKeys func(context.Context) (Keyring, error)
	// Encrypt encrypts what this node sends instead of signing it. Each node reads both.
	Encrypt bool
	// Log receives what an operator should know, and Security what is not believed; nil
	// discards it.
	Log      *slog.Logger
	Security *security.Log
}

const (
	// The queues of our goroutines. nats.go drops what does not fit into the inbox,
	// which costs a position check; an event is seldom over 2 KB and never over
	// the server's max_payload. The outbox is bounded in bytes, too.
	inboxSize   = 4096
	outboxSize  = 8192
	outboxBytes = 16 << 20

	// stopTimeout bounds the last flush.
	stopTimeout = time.Second
	// appealAfter is when a node that may not subscribe reconnects: its
	// permissions may have changed, and the server does not tell.
	appealAfter = 30 * time.Second
	// anewAfter is the pause before a closed connection is replaced.
	anewAfter = time.Second
)

// Bus connects one node to the others. All methods may be called concurrently,
// before, during and after Run.
type Bus struct {
	cfg      Config
	security []nats.Option
	log      *slog.Logger
	inbox    chan *nats.Msg
	outbox   chan outgoing
	queued   atomic.Int64 // bytes in outbox
	counts   counts
	// noisy keeps a peer that sends garbage, or a server that refuses subject after
	// subject, from filling the log.
	noisy   rate.Sometimes
	reasons reasons

	keys     atomic.Pointer[keyring]
	keysNow  chan struct{} // a token while they are to be read
	sealer   *sealer       // of the goroutine that sends
	opener   *opener       // of the one that receives
	rejected rejections

	interest  interest
	link      link
	echo      echo
	questions questions

	appealAfter time.Duration // the constants, except in tests
	keysEvery   time.Duration
	keysPause   time.Duration
}

// New returns a Bus that does nothing before Run. Until then, subscriptions are
// remembered, and what is published waits in the bounded queue. The error names
// the file of TLS or Credentials that is missing or invalid, or what is wrong with the
// keys.
func New(cfg Config) (*Bus, error) {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	security, err := cfg.security()
	if err != nil {
		return nil, err
	}
	keys, err := cfg.Keyring.derive()
	if err != nil {
		return nil, err
	}
	b := &Bus{
		cfg: cfg, security: security, log: log,
		inbox:    make(chan *nats.Msg, inboxSize),
		outbox:   make(chan outgoing, outboxSize),
		noisy:    rate.Sometimes{First: 3, Interval: 10 * time.Second},
		interest: newInterest(), questions: newQuestions(), appealAfter: appealAfter,
		keysEvery: KeysEvery, keysPause: keysPause,
		keysNow: make(chan struct{}, 1), sealer: newSealer(cfg.Encrypt),
	}
	b.opener = newOpener(b.sealer.sender)
	b.keys.Store(keys)
	b.echo.init()
	return b, nil
}

// Run connects, moves events until ctx ends, then sends what was published before,
// closes the connection, and stops the embedded server. It returns after its last
// goroutine has ended. An external server that is unreachable or refuses this
// node is not an error: Run keeps trying for ever. A Bus runs once.
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
		// After the clients: they would reconnect to a server that stops first.
		defer stopServer(srv)
	}
	keeping, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { b.keepKeys(keeping) })
	defer beside.Wait()
	defer stop()
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

// runSession connects and moves events until ctx ends or the connection is closed
// for good, which some errors of a server cause. It returns only errors in the
// settings.
func (b *Bus) runSession(ctx context.Context, node Node, srv *server.Server) error {
	s, err := b.dial(node, srv)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var loops sync.WaitGroup
	loops.Go(func() { b.receive(ctx.Done(), node) })
	loops.Go(func() { b.send(ctx.Done(), s.conn) })
	loops.Go(func() { b.keepInterest(ctx.Done(), s.conn) })
	loops.Go(func() { b.hearEcho(ctx, s) })
	select {
	case <-ctx.Done():
	case <-s.closed:
		b.log.Error("bus connection closed; connecting again", "error", s.conn.LastError())
		b.link.went()
	}
	cancel()
	loops.Wait()
	b.interest.detach()
	b.lastFlush(s.conn)
	b.echo.forget()
	s.close()
	return nil
}

// lastFlush waits until the server has what was published.
func (b *Bus) lastFlush(conn *nats.Conn) {
	if !b.link.isReady() {
		return
	}
	if err := conn.FlushTimeout(stopTimeout); err != nil {
		b.log.Warn("bus stopped before its last events were sent", "error", err)
	}
}
