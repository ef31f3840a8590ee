package bus

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// Bounds on the tokens that wait: one probe at a time sends one.
const (
	echoMessages = 64
	echoBytes    = 64 << 10
)

// echo hears what the node publishes, on a connection of its own.
type echo struct {
	subject string
	probing sync.Mutex    // one probe at a time
	opener  *opener       // used by the probe
	tried   chan struct{} // closed after the first attempt to connect
	once    sync.Once

	mu   sync.Mutex
	conn *nats.Conn // nil: none
	sub  *nats.Subscription
}

func (e *echo) init() {
	e.subject, e.tried, e.opener = nodeSubjects+nuid.Next(), make(chan struct{}), newOpener([senderSize]byte{})
}

// noteTried notes that the first attempt to connect has succeeded or failed.
func (e *echo) noteTried() { e.once.Do(func() { close(e.tried) }) }

// hearEcho connects a second time. Without that the bus works, but Echo fails.
func (b *Bus) hearEcho(ctx context.Context, s *session) {
	defer b.echo.noteTried()
	conn, err := nats.Connect(b.cfg.URL, append(b.common(s.server), nats.Name(b.cfg.Name+" probe"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.noisy.Do(func() { b.log.Warn("bus probe error", "error", err) })
		}))...)
	if err == nil {
		err = b.echo.listen(ctx, conn)
	}
	if err != nil {
		b.log.Warn("bus cannot be probed", "error", err)
	}
}

func (e *echo) listen(ctx context.Context, conn *nats.Conn) error {
	sub, err := conn.SubscribeSync(e.subject)
	if err == nil {
		err = sub.SetPendingLimits(echoMessages, echoBytes)
	}
	// A token that arrives before the subscription is lost. A server that is away
	// gets both later.
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	_ = conn.FlushWithContext(ctx)
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

// Echo publishes token as events are published, and waits until it arrives on
// another connection: this is the bus as another node sees it. It returns ErrLost
// at once while the bus is lost, and an error when ctx ends first. It waits only
// for the outcome of the very first connect. Calls take turns.
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
		body, _, why := b.echo.opener.open(b.keys.Load(), m)
		if why != sound {
			b.reject(kindEcho, why, m.Subject)
			continue
		}
		// An earlier token may arrive late: wait for ours.
		if bytes.Equal(body, token) {
			return nil
		}
	}
}
