package bus

import (
	"errors"
	"fmt"
)

// ErrStream is returned for a stream that is not the id of a chat or user. Anything
// else could widen a subscription: `>` and `*` are NATS wildcards.
var ErrStream = errors.New("stream is not an id")

// Subscribe asks for the events of streams and returns at once; Flush waits until
// the subscriptions are in force. Streams already subscribed are left alone. A
// lost connection is not an error: it subscribes when it is back. The error is
// ErrStream, and then none of the streams is subscribed.
func (b *Bus) Subscribe(streams ...string) error {
	for _, stream := range streams {
		if !validStream(stream) {
			return fmt.Errorf("subscribe %q: %w", stream, ErrStream)
		}
	}
	b.interest.mu.Lock()
	defer b.interest.mu.Unlock()
	for _, stream := range streams {
		b.interest.want(stream)
	}
	b.interest.poke()
	return nil
}

// Unsubscribe ends the subscriptions and returns at once; an event already on its
// way may still arrive.
func (b *Bus) Unsubscribe(streams ...string) {
	b.interest.mu.Lock()
	defer b.interest.mu.Unlock()
	for _, stream := range streams {
		b.interest.drop(stream)
	}
	b.interest.poke()
}
