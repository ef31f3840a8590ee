package bus

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// What waits of tokens: one probe at a time sends one.
const (
	echoMessages = 64
	echoBytes    = 64 << 10
)

// echo hears on a connection of its own what the node publishes.
type echo struct {
	subject string
	probing sync.Mutex    // one probe at a time
	tried   chan struct{} // closed after the first try to connect
	once    sync.Once

	mu   sync.Mutex
	conn *nats.Conn // nil unless there is one
	sub  *nats.Subscription
}

func (e *echo) init() { e.subject, e.tried = nodeSubjects+nuid.Next(), make(chan struct{}) }

// settle notes that the first try has come to something.
func (e *echo) settle() { e.once.Do(func() { close(e.tried) }) }

// hearEcho connects a second time. Without it the bus works, but Echo fails.
func (b *Bus) hearEcho(s *session) {
	defer b.echo.settle()
	conn, err := nats.Connect(b.cfg.URL, append(b.common(s.server), nats.Name(b.cfg.Name+" probe"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.noisy.Do(func() { b.log.Warn("bus error of the probe", "error", err) })
		}))...)
	if err == nil {
		err = b.echo.listen(conn)
	}
	if err != nil {
		b.log.Warn("bus cannot be probed", "error", err)
	}
}

func (e *echo) listen(conn *nats.Conn) error {
	sub, err := conn.SubscribeSync(e.subject)
	if err == nil {
		err = sub.SetPendingLimits(echoMessages, echoBytes)
	}
	// A token that comes before the subscription is lost. A server that is away
	// gets both later.
	_ = conn.FlushTimeout(flushTimeout)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conn, e.sub = conn, sub
	if err != nil {
		return fmt.Errorf("subscribe echo: %w", err)
	}
	return nil
}

func (e *echo) reconnect() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil {
		_ = e.conn.ForceReconnect() // see appeal
	}
}

// forget closes the probe's connection.
func (e *echo) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil {
		e.conn.Close()
	}
	e.conn, e.sub = nil, nil
}

func (e *echo) current() *nats.Subscription {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sub
}

// Echo publishes token by the way of all events and waits until the server has
// brought it back on another connection: the bus as another node sees it. It
// returns ErrLost at once while the bus is lost, and an error when ctx ends first.
// Only the outcome of the very first connect is waited for. Calls take turns.
func (b *Bus) Echo(ctx context.Context, token []byte) error {
	b.echo.probing.Lock()
	defer b.echo.probing.Unlock()
	select {
	case <-b.echo.tried:
	case <-ctx.Done():
		return ErrLost
	}
	sub := b.echo.current()
	if sub == nil || !b.link.isReady() {
		return ErrLost
	}
	b.enqueue(outgoing{subject: b.echo.subject, data: token})
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return fmt.Errorf("await echo: %w", err)
		}
		// An earlier token may come late: go on to ours.
		if bytes.Equal(m.Data, token) {
			return nil
		}
	}
}
