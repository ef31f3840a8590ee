package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// ErrStream is returned for a stream whose name is not the id of a chat or user.
// Anything else could widen a subscription: `>` and `*` are NATS wildcards.
var ErrStream = errors.New("stream is not an id")

// Subscribe asks for the events of streams. It only writes to a buffer: Flush
// tells when they are in effect. Streams already subscribed are left alone, and
// a lost connection is no error: it subscribes when it is back.
func (b *Bus) Subscribe(streams ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, stream := range streams {
		if err := b.subscribe(stream); err != nil {
			return fmt.Errorf("subscribe %q: %w", stream, err)
		}
	}
	return nil
}

func (b *Bus) subscribe(stream string) error {
	if !validStream(stream) {
		return ErrStream
	}
	if _, ok := b.subs[stream]; ok {
		return nil
	}
	var sub *nats.Subscription
	if b.conn != nil {
		var err error
		if sub, err = b.conn.ChanSubscribe(subject(stream), b.inbox); err != nil {
			return err
		}
	}
	b.subs[stream] = sub
	return nil
}

// Unsubscribe ends the interest in streams; an event already on its way may
// still arrive.
func (b *Bus) Unsubscribe(streams ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, stream := range streams {
		if sub := b.subs[stream]; sub != nil {
			// The only errors say that the connection or the subscription
			// is gone, which is what is wanted.
			_ = sub.Unsubscribe()
		}
		delete(b.subs, stream)
	}
}

// Flush waits until the server has taken all subscriptions: what any node
// publishes from then on is received. While the bus is lost it returns ErrLost
// at once. Without a deadline in ctx it gives up after two seconds.
func (b *Bus) Flush(ctx context.Context) error {
	conn := b.current()
	if conn == nil || !conn.IsConnected() {
		return ErrLost
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
	}
	if err := conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("flush bus: %w", err)
	}
	return nil
}

func (b *Bus) current() *nats.Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conn
}
