package bus

import "github.com/nats-io/nats.go"

// Announce sends data to every other node, to be handed to Node.Announced, under
// the terms of Publish: it returns at once and may be lost.
func (b *Bus) Announce(data []byte) { b.enqueue(announceSubject, data) }

// hearAnnouncements subscribes once per connection; nats.go keeps that over
// reconnects.
func (b *Bus) hearAnnouncements(conn *nats.Conn) {
	if _, err := conn.ChanSubscribe(announceSubject, b.inbox); err != nil { // closed for good: the next connection does
		b.noisy.Do(func() { b.log.Warn("bus did not subscribe", "subject", announceSubject, "error", err) })
	}
}
