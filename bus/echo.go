package bus

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// echo hears on a second connection what the node publishes on its first.
type echo struct {
	subject string
	mu      sync.Mutex // one probe at a time
	sub     *nats.Subscription
}

func newEcho() echo { return echo{subject: nodeSubjects + nuid.Next()} }

func (e *echo) listen(conn *nats.Conn) error {
	sub, err := conn.SubscribeSync(e.subject)
	if err != nil {
		return fmt.Errorf("subscribe echo: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sub = sub
	return nil
}

// Echo publishes token by the way of all events and waits until the server has
// brought it back on another connection: the bus as another node sees it. It
// returns ErrLost at once while the bus is lost, and an error when ctx ends
// first. Calls take turns.
func (b *Bus) Echo(ctx context.Context, token []byte) error {
	conn := b.current()
	if conn == nil || !conn.IsConnected() {
		return ErrLost
	}
	b.echo.mu.Lock()
	defer b.echo.mu.Unlock()
	b.enqueue(b.echo.subject, token)
	for {
		m, err := b.echo.sub.NextMsgWithContext(ctx)
		if err != nil {
			return fmt.Errorf("await echo: %w", err)
		}
		// An earlier token may come late: go on to ours.
		if bytes.Equal(m.Data, token) {
			return nil
		}
	}
}
